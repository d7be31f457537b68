package backup

import (
	"bytes"

	"github.com/klauspost/compress/s2"
)

// Sealed is a file of one chunk of messages with these bytes, and hashes that are right.
func Sealed(plain []byte) []byte {
	var file bytes.Buffer
	w, err := NewWriter(&file, Header{Kind: KindLog})
	if err != nil {
		panic(err)
	}
	if err := w.chunk(kindMessages, s2.Encode(nil, plain)); err != nil {
		panic(err)
	}
	if _, _, err := w.Close(); err != nil {
		panic(err)
	}
	return file.Bytes()
}
