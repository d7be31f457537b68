// Package effects acts on the log: it reads what happened, and has commands done that follow from it. One process of a
// workspace leads, the others stand by. What an effect decides is arithmetic on the floor and a commit; the runner sees to
// it that nothing is left out and nothing is done twice.
package effects
