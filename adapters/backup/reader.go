package backup

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/s2"
)

// Reader reads a backup, and believes no chunk before it has compared its hash. It is not safe for concurrent use.
type Reader struct {
	r      *bufio.Reader
	header Header
	end    End // as far as it was read
	sum    [sha256.Size]byte
	chunk  int
	offset int64 // of the chunk at hand
	next   int64 // of the one behind it
	err    error
}

// NewReader reads the header. The errors are ErrNoBackup, *Damage, and those of r.
func NewReader(r io.Reader) (*Reader, error) {
	b := &Reader{r: bufio.NewReaderSize(r, 1<<20), sum: sha256.Sum256([]byte(magic))}
	begin := make([]byte, len(magic))
	if n, err := io.ReadFull(b.r, begin); err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, fmt.Errorf("read the backup: %w", err)
	} else if string(begin[:n]) != magic {
		return nil, ErrNoBackup
	}
	b.next = int64(len(magic))
	kind, body, err := b.read()
	if err != nil {
		return nil, err
	}
	if kind != kindHeader {
		return nil, b.damage("is no header")
	}
	if err := json.Unmarshal(body, &b.header); err != nil {
		return nil, b.damage("is a header that can't be read: " + err.Error())
	}
	if b.header.Kind != KindLog && b.header.Kind != KindVault {
		return nil, b.damage(fmt.Sprintf("says that the file holds a %q, which this version does not know", b.header.Kind))
	}
	return b, nil
}

// Header says what the file is.
func (b *Reader) Header() Header { return b.header }

// End says what was read so far: after io.EOF, what the whole file holds. With it comes the hash up to there.
func (b *Reader) End() (End, [sha256.Size]byte) { return b.end, b.sum }

// Next returns the messages of the next chunk and the sequence of the first of them. The error is io.EOF after the last chunk of a
// file that is whole, *Damage where one is not, or that of the underlying reader.
func (b *Reader) Next() (first uint64, messages []Message, err error) {
	if b.err != nil {
		return 0, nil, b.err
	}
	first, messages, b.err = b.messages()
	return first, messages, b.err
}

func (b *Reader) messages() (first uint64, messages []Message, err error) {
	kind, body, err := b.read()
	if err != nil {
		return 0, nil, err
	}
	switch kind {
	case kindMessages:
	case kindEnd:
		return 0, nil, b.finish(body)
	default:
		return 0, nil, b.damage(fmt.Sprintf("is of kind %q, which is none", kind))
	}
	size, err := s2.DecodedLen(body)
	if err != nil || size > maxPlain {
		return 0, nil, b.damage("holds no S2 block of up to 16 MiB")
	}
	plain, err := s2.Decode(make([]byte, size), body)
	if err != nil {
		return 0, nil, b.damage("can't be decompressed")
	}
	c := cursor{b: plain}
	first, count := c.number(), c.number()
	begun := b.end.Messages > 0
	if begun && first != b.end.Last+1 || first == 0 || first > maxSequence {
		return 0, nil, b.damage(fmt.Sprintf("begins with message %d", first))
	}
	messages = make([]Message, 0, min(count, chunkMessages))
	at := len(c.b)
	for ; count > 0 && !c.failed; count-- {
		messages = append(messages, c.message())
	}
	if c.failed || len(c.b) > 0 || len(messages) == 0 {
		return 0, nil, b.damage("holds malformed messages")
	}
	if !begun {
		b.end.First = first
	}
	b.end.Messages += uint64(len(messages))
	b.end.Last = first + uint64(len(messages)) - 1
	b.end.Bytes += uint64(at)
	return first, messages, nil
}

// finish compares the end with what was read.
func (b *Reader) finish(body []byte) error {
	var told End
	if err := json.Unmarshal(body, &told); err != nil {
		return b.damage("is an end that can't be read: " + err.Error())
	}
	if told != b.end {
		return b.damage(fmt.Sprintf("tells of %d messages, %d to %d, where %d were read, %d to %d",
			told.Messages, told.First, told.Last, b.end.Messages, b.end.First, b.end.Last))
	}
	if _, err := b.r.ReadByte(); err == nil {
		return b.damage("ends the backup, and something lies behind it")
	} else if !errors.Is(err, io.EOF) {
		return fmt.Errorf("read the backup: %w", err)
	}
	return io.EOF
}

// read reads one chunk and compares its hash.
func (b *Reader) read() (kind byte, body []byte, err error) {
	if b.next != int64(len(magic)) {
		b.chunk++
	}
	b.offset = b.next
	var head [5]byte
	if err := b.fill(head[:]); err != nil {
		return 0, nil, err
	}
	size := binary.BigEndian.Uint32(head[1:])
	if size > maxBody {
		return 0, nil, b.damage(fmt.Sprintf("says that it has %d bytes", size))
	}
	// Grown as it comes: a size alone must not take the memory.
	var grown bytes.Buffer
	if n, err := io.CopyN(&grown, b.r, int64(size)); err != nil || n != int64(size) {
		return 0, nil, b.short(err)
	}
	var sum [sha256.Size]byte
	if err := b.fill(sum[:]); err != nil {
		return 0, nil, err
	}
	if want := chunkSum(b.sum, head, grown.Bytes()); sum != want {
		return 0, nil, b.damage("does not have the hash that it tells: it was changed, or is not the one that came here")
	}
	b.sum, b.next = sum, b.offset+int64(len(head))+int64(size)+int64(len(sum))
	return head[0], grown.Bytes(), nil
}

func (b *Reader) fill(p []byte) error {
	if _, err := io.ReadFull(b.r, p); err != nil {
		return b.short(err)
	}
	return nil
}

// short is the error of a file that ended too early, or that could not be read.
func (b *Reader) short(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return b.damage("is cut off")
	}
	return fmt.Errorf("read the backup: %w", err)
}

func (b *Reader) damage(why string) error {
	return &Damage{Chunk: b.chunk, Offset: b.offset, Good: b.end.Last, Why: why}
}

// cursor takes a chunk apart. After a failure it gives zero values.
type cursor struct {
	b      []byte
	failed bool
}

func (c *cursor) number() uint64 {
	n, size := binary.Uvarint(c.b)
	if size <= 0 || c.failed {
		c.failed = true
		return 0
	}
	c.b = c.b[size:]
	return n
}

func (c *cursor) bytes() []byte {
	n := c.number()
	if c.failed || n > uint64(len(c.b)) {
		c.failed = true
		return nil
	}
	b := c.b[:n:n]
	c.b = c.b[n:]
	return b
}

func (c *cursor) message() Message {
	m := Message{Subject: string(c.bytes())}
	fields := c.number()
	if fields > uint64(len(c.b)) {
		c.failed = true
		return m
	}
	if fields > 0 {
		m.Header = make(map[string]string, min(fields, 8))
	}
	for before := ""; fields > 0 && !c.failed; fields-- {
		name := string(c.bytes())
		if name <= before {
			c.failed = true
		}
		m.Header[name], before = string(c.bytes()), name
	}
	m.Data = c.bytes()
	return m
}
