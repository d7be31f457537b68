package backup_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/turno-desk/turno/adapters/backup"
)

var header = backup.Header{Kind: backup.KindLog, Log: "abc", Made: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC), By: "test"}

func messages(n int) []backup.Message {
	all := make([]backup.Message, n)
	for i := range all {
		all[i] = backup.Message{Subject: fmt.Sprintf("turno.default.thread.t%d", i%7), Data: bytes.Repeat([]byte{byte(i)}, i%300)}
		if i%3 > 0 {
			all[i].Header = map[string]string{"Turno-Prev": fmt.Sprint(i), "Turno-Command": strings.Repeat("c", i%3)}
		}
	}
	return all
}

func write(t testing.TB, h backup.Header, first uint64, all []backup.Message) []byte {
	t.Helper()
	var file bytes.Buffer
	w, err := backup.NewWriter(&file, h)
	if err != nil {
		t.Fatal(err)
	}
	for chunk := range slices.Chunk(all, 170) {
		if err := w.Add(first, chunk); err != nil {
			t.Fatal(err)
		}
		first += uint64(len(chunk))
	}
	if _, _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func read(file []byte) (all []backup.Message, end backup.End, err error) {
	r, err := backup.NewReader(bytes.NewReader(file))
	if err != nil {
		return nil, end, err
	}
	for {
		_, chunk, err := r.Next()
		if errors.Is(err, io.EOF) {
			end, _ = r.End()
			return all, end, nil
		}
		if err != nil {
			return all, end, err
		}
		all = append(all, chunk...)
	}
}

func same(a, b backup.Message) bool {
	return a.Subject == b.Subject && bytes.Equal(a.Data, b.Data) && cmp.Equal(a.Header, b.Header)
}

func TestWhatWasWrittenIsRead(t *testing.T) {
	for _, n := range []int{0, 1, 999, 1000, 5001} {
		want := messages(n)
		got, end, err := read(write(t, header, 1, want))
		if err != nil || !slices.EqualFunc(got, want, same) {
			t.Errorf("%d messages: %d came back, %v", n, len(got), err)
		}
		if end.Messages != uint64(n) || n > 0 && (end.First != 1 || end.Last != uint64(n)) {
			t.Errorf("%d messages: it ends with %+v", n, end)
		}
	}
}

func TestAFileThatIsCutOffIsRefusedWhereverItIsCut(t *testing.T) {
	file := write(t, header, 1, messages(3000))
	cuts := []int{0, 1, 14, 15, 16, 40, len(file) / 2, len(file) - 1}
	for range 50 {
		cuts = append(cuts, rand.IntN(len(file)))
	}
	for _, at := range cuts {
		_, _, err := read(file[:at])
		var d *backup.Damage
		if at < 15 {
			if !errors.Is(err, backup.ErrNoBackup) {
				t.Errorf("cut at %d: %v, want ErrNoBackup", at, err)
			}
			continue
		}
		if !errors.As(err, &d) || !strings.Contains(err.Error(), "is cut off") {
			t.Errorf("cut at %d: %v", at, err)
			continue
		}
		if d.Offset > int64(at) || d.Good%1000 != 0 {
			t.Errorf("cut at %d: it says %v", at, d)
		}
	}
}

func TestAChangedByteIsFoundAndItsPlaceIsTold(t *testing.T) {
	file := write(t, header, 1, messages(3000))
	for range 200 {
		at := rand.IntN(len(file))
		changed := slices.Clone(file)
		changed[at] ^= 1 << rand.IntN(8)
		_, _, err := read(changed)
		var d *backup.Damage
		switch {
		case errors.Is(err, backup.ErrNoBackup) && at < 15:
		case !errors.As(err, &d):
			t.Errorf("byte %d changed: %v", at, err)
		case d.Offset > int64(at):
			t.Errorf("byte %d changed, and byte %d is blamed", at, d.Offset)
		}
	}
}

func TestChunksThatChangedPlacesAreFound(t *testing.T) {
	file := write(t, header, 1, messages(4000))
	starts := chunks(t, file)
	if len(starts) != 7 { // header, four of messages, end, and the end of the file
		t.Fatalf("there are %d chunks", len(starts)-1)
	}
	cut := func(i int) []byte { return file[starts[i]:starts[i+1]] }
	begin := file[:starts[0]]
	for name, put := range map[string][]byte{
		"two swapped":      slices.Concat(begin, cut(0), cut(2), cut(1), cut(3), cut(4), cut(5)),
		"one left out":     slices.Concat(begin, cut(0), cut(1), cut(3), cut(4), cut(5)),
		"one twice":        slices.Concat(begin, cut(0), cut(1), cut(1), cut(2), cut(3), cut(4), cut(5)),
		"no end":           slices.Concat(begin, cut(0), cut(1), cut(2), cut(3), cut(4)),
		"more behind":      append(slices.Clone(file), 'x'),
		"another's header": slices.Concat(begin, chunkOf(t, write(t, backup.Header{Kind: backup.KindLog, Log: "other"}, 1, nil), 0), cut(1), cut(2), cut(3), cut(4), cut(5)),
	} {
		var d *backup.Damage
		if _, _, err := read(put); !errors.As(err, &d) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// chunks tells where each chunk begins, and where the file ends.
func chunks(t *testing.T, file []byte) (starts []int) {
	t.Helper()
	for at := len("TURNO-BACKUP-1\n"); ; {
		starts = append(starts, at)
		if at == len(file) {
			return starts
		}
		at += 5 + int(file[at+1])<<24 + int(file[at+2])<<16 + int(file[at+3])<<8 + int(file[at+4]) + 32
	}
}

func chunkOf(t *testing.T, file []byte, i int) []byte {
	starts := chunks(t, file)
	return file[starts[i]:starts[i+1]]
}

func TestAGapIsNotWritten(t *testing.T) {
	w, err := backup.NewWriter(io.Discard, header)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Add(1, messages(3)); err != nil {
		t.Fatal(err)
	}
	if err := w.Add(5, messages(1)); err == nil {
		t.Error("message 5 was taken behind message 3")
	}
	if _, _, err := w.Close(); err == nil {
		t.Error("it was closed as if it were whole")
	}
}

func FuzzReader(f *testing.F) {
	f.Add(write(f, header, 1, messages(20)))
	f.Add(write(f, backup.Header{Kind: backup.KindVault}, 1, nil))
	f.Add([]byte("TURNO-BACKUP-1\nH\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, file []byte) {
		all, end, err := read(file)
		if err == nil && uint64(len(all)) != end.Messages {
			t.Errorf("%d messages, and it says %d", len(all), end.Messages)
		}
		var d *backup.Damage
		if err != nil && !errors.As(err, &d) && !errors.Is(err, backup.ErrNoBackup) {
			t.Errorf("it failed with %v", err)
		}
	})
}

// FuzzChunk takes messages apart behind a hash that is right.
func FuzzChunk(f *testing.F) {
	f.Add([]byte{1, 1, 1, 'a', 0, 0})
	f.Add([]byte{1, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, plain []byte) {
		all, end, err := read(backup.Sealed(plain))
		if err == nil && uint64(len(all)) != end.Messages {
			t.Errorf("%d messages, and it says %d", len(all), end.Messages)
		}
	})
}

func BenchmarkWriteAndRead(b *testing.B) {
	all := make([]backup.Message, 1000)
	for i := range all {
		text := make([]byte, 300)
		for k := range text {
			text[k] = "abcdefghijklmnopqrstuvwxyz0123456789"[rand.IntN(36)]
		}
		all[i] = backup.Message{Subject: fmt.Sprintf("turno.default.thread.%d", i), Header: map[string]string{"Turno-Prev": "12", "Turno-Command": "x"},
			Data: fmt.Appendf(nil, `[{"specversion":"1.0","id":"%d","type":"turno.conversation.message_received.v1","data":{"text":"%s"}}]`, i, text)}
	}
	file := write(b, header, 1, all)
	b.SetBytes(int64(len(file)))
	for b.Loop() {
		if _, _, err := read(write(b, header, 1, all)); err != nil {
			b.Fatal(err)
		}
	}
}
