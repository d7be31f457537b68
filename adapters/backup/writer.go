package backup

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/klauspost/compress/s2"
)

// Writer writes a backup. It is not safe for concurrent use.
type Writer struct {
	w     *bufio.Writer
	sum   [sha256.Size]byte
	plain []byte // messages of the chunk at hand
	first uint64
	count uint64
	body  []byte
	end   End
	err   error
}

// NewWriter begins a backup. Close ends it; the caller closes w.
func NewWriter(w io.Writer, h Header) (*Writer, error) {
	b := &Writer{w: bufio.NewWriterSize(w, 1<<20), sum: sha256.Sum256([]byte(magic))}
	if _, err := b.w.WriteString(magic); err != nil {
		return nil, fmt.Errorf("write the backup: %w", err)
	}
	text, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	if err := b.chunk(kindHeader, text); err != nil {
		return nil, err
	}
	return b, nil
}

// Add writes the messages behind those that were added before. first is the sequence of the first of them: sequences have no
// gaps.
func (b *Writer) Add(first uint64, messages []Message) error {
	if b.err != nil || len(messages) == 0 {
		return b.err
	}
	if b.end.Messages == 0 {
		b.end.First, b.end.Last = first, first-1
	}
	if first != b.end.Last+1 {
		b.err = fmt.Errorf("write the backup: message %d comes after %d", first, b.end.Last)
		return b.err
	}
	for i := range messages {
		if b.count == 0 {
			b.first = b.end.Last + 1
		}
		before := len(b.plain)
		b.plain = appendMessage(b.plain, &messages[i])
		b.count++
		b.end.Messages, b.end.Last, b.end.Bytes = b.end.Messages+1, b.end.Last+1, b.end.Bytes+uint64(len(b.plain)-before)
		if len(b.plain) >= chunkBytes || b.count >= chunkMessages {
			if b.err = b.flush(); b.err != nil {
				return b.err
			}
		}
	}
	return nil
}

// Close writes the end, and returns it with the hash of the whole.
func (b *Writer) Close() (End, [sha256.Size]byte, error) {
	if b.err == nil {
		b.err = b.flush()
	}
	if b.err != nil {
		return End{}, b.sum, b.err
	}
	text, err := json.Marshal(b.end)
	if err == nil {
		err = b.chunk(kindEnd, text)
	}
	if err == nil {
		err = b.w.Flush()
	}
	b.err = errors.New("write the backup: it is closed")
	return b.end, b.sum, err
}

func (b *Writer) flush() error {
	if b.count == 0 {
		return nil
	}
	head := binary.AppendUvarint(binary.AppendUvarint(make([]byte, 0, 2*binary.MaxVarintLen64), b.first), b.count)
	b.plain = slices.Insert(b.plain, 0, head...)
	b.body = s2.Encode(b.body[:cap(b.body)], b.plain)
	b.plain, b.count = b.plain[:0], 0
	return b.chunk(kindMessages, b.body)
}

func (b *Writer) chunk(kind byte, body []byte) error {
	head := chunkHead(kind, len(body))
	b.sum = chunkSum(b.sum, head, body)
	for _, part := range [][]byte{head[:], body, b.sum[:]} {
		if _, err := b.w.Write(part); err != nil {
			return fmt.Errorf("write the backup: %w", err)
		}
	}
	return nil
}

func chunkHead(kind byte, size int) (head [5]byte) {
	head[0] = kind
	binary.BigEndian.PutUint32(head[1:], uint32(size))
	return head
}

func chunkSum(before [sha256.Size]byte, head [5]byte, body []byte) (sum [sha256.Size]byte) {
	h := sha256.New()
	h.Write(before[:])
	h.Write(head[:])
	h.Write(body)
	h.Sum(sum[:0])
	return sum
}

func appendMessage(b []byte, m *Message) []byte {
	b = appendText(b, m.Subject)
	b = binary.AppendUvarint(b, uint64(len(m.Header)))
	for _, name := range slices.Sorted(maps.Keys(m.Header)) {
		b = appendText(appendText(b, name), m.Header[name])
	}
	b = binary.AppendUvarint(b, uint64(len(m.Data)))
	return append(b, m.Data...)
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}
