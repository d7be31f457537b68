// Package backup is the file that a backup is: everything a log or a vault holds, in order, in chunks of which each carries
// the hash of all that came before it. A file that was cut off, changed or put together anew says where.
//
//	file    magic, chunks
//	magic   "TURNO-BACKUP-1\n"
//	chunk   kind (1 byte), size of the body (4 bytes, big endian), body, sum (32 bytes)
//	sum     SHA-256 of: the sum of the chunk before it (for the first: the SHA-256 of the magic), kind, size, body
//	kinds   'H' Header as JSON, the first chunk; 'M' messages; 'E' End as JSON, the last, with nothing behind it
//
// The body of messages is an S2 block. In it: sequence of the first, number of messages, and for each subject, number of
// header fields, name and value of each field in order of name, data. Numbers are unsigned varints, and every text has its
// length before it.
//
// The sum of the last chunk is the hash of the whole. Sums find damage, they prove no origin: who can write the file can write
// sums too. Keep the last one elsewhere to compare with.
package backup

import (
	"errors"
	"fmt"
	"time"
)

const magic = "TURNO-BACKUP-1\n"

const (
	kindHeader   = 'H'
	kindMessages = 'M'
	kindEnd      = 'E'
)

// The bounds of a chunk. The writer ends one at the first pair, the reader takes none beyond the second.
const (
	chunkBytes, chunkMessages = 1 << 20, 1000
	maxBody, maxPlain         = 16 << 20, 16 << 20
	maxSequence               = 1 << 62
)

// What a file can hold.
const (
	KindLog   = "log"   // the messages of a log: their sequences are those of the log
	KindVault = "vault" // the values of a vault: their sequences count them
)

// Header says what the file is.
type Header struct {
	Kind string    `json:"kind"`
	Log  string    `json:"log,omitempty"` // identity of the log, or of the log that the vault belongs to where that is known
	Made time.Time `json:"made"`
	By   string    `json:"by,omitempty"` // version of the program
}

// End says what the file must have held.
type End struct {
	Messages uint64 `json:"messages"`
	First    uint64 `json:"first"` // sequences; 0 when there are no messages
	Last     uint64 `json:"last"`
	Bytes    uint64 `json:"bytes"` // of the messages, as they were before they were compressed
}

// Message is one message as it is stored.
type Message struct {
	Subject string
	Header  map[string]string
	Data    []byte
}

// Damage says where a file is not what was written.
type Damage struct {
	Chunk  int    // from 0, the header's
	Offset int64  // of that chunk in the file
	Good   uint64 // the last sequence before it; up to there the file is whole
	Why    string
}

func (d *Damage) Error() string {
	return fmt.Sprintf("the backup is damaged: chunk %d, at byte %d, %s; it is whole up to message %d", d.Chunk, d.Offset, d.Why, d.Good)
}

// ErrNoBackup says that a file is none.
var ErrNoBackup = errors.New("this is no backup of Turno")
