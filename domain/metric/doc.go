// Package metric decides what every number of a report means. The catalogue says it in words, Book computes it: a pure
// fold that is given the commits of the log in order and yields samples, each with the events that it was counted from.
// The projection, a recount of the whole log and the tests run this one function.
package metric
