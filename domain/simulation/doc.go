// Package simulation asks what would have been: it takes the arrivals of a period out of a log and has them served again, by
// another rule or another staffing, with the very functions that decide live.
//
// Recording folds the log into cases: what came when, into which department, and how long it took whoever handled it. Run
// serves them by a plan, event by event, without a clock or chance: the same recording and plan give the same result.
// docs/simulation.md says what is assumed.
package simulation
