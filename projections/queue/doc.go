// Package queue builds the view that operators work from: per department the lists of conversations by state, with
// counts, order, unread marks, owners and the last line of each, as they are now and as they were at any position.
package queue
