// Package projections runs the builders of views: it feeds them the log in order, writes their rows and their checkpoint in
// one transaction, parks what they can't digest, and tells everybody how far they have come.
package projections
