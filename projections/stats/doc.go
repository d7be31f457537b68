// Package stats is the view that answers "how much" and "how long": per operator, department and channel, over any
// period, as of any position, each number with the events that it was counted from. What a number means is domain/metric's;
// here are its rows and its queries.
package stats
