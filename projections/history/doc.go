// Package history keeps everything that was ever said and done in a conversation, so that it can be read, searched and
// looked at as it was at any position of the log.
//
// Its tables are append-only but for one: conversations holds each conversation as it is now. What it was at an earlier
// position is folded again from its entries, by the same function that folded it then.
package history
