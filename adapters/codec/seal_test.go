package codec

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/contact"
	"github.com/turno-desk/turno/domain/thread"
)

func TestGoJoseOpensWhatIsSealedHereAndTheOtherWayRound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "key")
		id := "k" + rapid.StringMatching(`[a-z0-9]{1,30}`).Draw(t, "id")
		plain := string(rapid.SliceOf(rapid.Byte()).Draw(t, "plain"))
		s, err := newSealer(id, key)
		if err != nil {
			t.Fatal(err)
		}
		sealed := s.seal(plain, randomNonce)
		parsed, err := jose.ParseEncryptedCompact(sealed, []jose.KeyAlgorithm{jose.DIRECT}, []jose.ContentEncryption{jose.A256GCM})
		if err != nil {
			t.Fatalf("%v: %s", err, sealed)
		}
		if got, err := parsed.Decrypt(key); err != nil || string(got) != plain || parsed.Header.KeyID != id {
			t.Fatalf("go-jose reads %q with key %s, %v; want %q with %s", got, parsed.Header.KeyID, err, plain, id)
		}

		// Theirs, with our header, and with one that says the same in more words.
		for _, o := range []*jose.EncrypterOptions{nil, (&jose.EncrypterOptions{}).WithType("JOSE"), {Compression: jose.DEFLATE}} {
			e, err := jose.NewEncrypter(jose.A256GCM, jose.Recipient{Algorithm: jose.DIRECT, Key: key, KeyID: id}, o)
			if err != nil {
				t.Fatal(err)
			}
			obj, err := e.Encrypt([]byte(plain))
			if err != nil {
				t.Fatal(err)
			}
			theirs, err := obj.CompactSerialize()
			if err != nil {
				t.Fatal(err)
			}
			if o == nil && !strings.HasPrefix(theirs, s.header+".") {
				t.Fatalf("go-jose writes another header: %s, not %s", theirs, s.header)
			}
			for _, hint := range []string{"", id, "kother"} {
				open := &opener{ctx: context.Background(), keys: ring{id: key}, hint: hint}
				if got, err := open.open(theirs); err != nil || got != plain {
					t.Fatalf("got %q, %v, want %q", got, err, plain)
				}
				gone := &opener{ctx: context.Background(), keys: ring{}, hint: hint}
				if got, err := gone.open(theirs); err != nil || got != string(domain.Erased) {
					t.Fatalf("got %q, %v, without the key", got, err)
				}
			}
		}
	})
}

func TestAChangedSealIsRefused(t *testing.T) {
	key := goldenKeys()[goldenKey]
	s, err := newSealer(goldenKey, key)
	if err != nil {
		t.Fatal(err)
	}
	sealed := s.seal("a word", randomNonce)
	parts := strings.Split(sealed, ".")
	header := func(h string) string {
		return strings.Join(append([]string{base64.RawURLEncoding.EncodeToString([]byte(h))}, parts[1:]...), ".")
	}
	bad := map[string]string{
		"plain text": "hello", "a dot": ".", "dots": "....", "two dots": s.header + "..", "an encrypted key": strings.Replace(sealed, "..", ".AAAA.", 1),
		"a part less": strings.Join(parts[:4], "."), "a part more": sealed + ".AAAA", "a short tag": sealed[:len(sealed)-1],
		"no base64": strings.Replace(sealed, parts[2], strings.Repeat("!", 16), 1), "another algorithm": header(`{"alg":"A256KW","enc":"A256GCM","kid":"` + goldenKey + `"}`),
		"another cipher": header(`{"alg":"dir","enc":"A128GCM","kid":"` + goldenKey + `"}`), "no key id": header(`{"alg":"dir","enc":"A256GCM"}`),
		"a hostile key id": header(`{"alg":"dir","enc":"A256GCM","kid":"../../x"}`), "a header of its own": header(`{"alg":"dir","enc":"A256GCM","kid":"` + goldenKey + `","x":1}`),
		"an unknown critical header": header(`{"alg":"dir","enc":"A256GCM","crit":["x"],"x":1,"kid":"` + goldenKey + `"}`),
	}
	for i := range parts {
		if parts[i] == "" {
			continue
		}
		flipped := append([]string(nil), parts...)
		c := byte('A')
		if parts[i][0] == c {
			c = 'B'
		}
		flipped[i] = string(c) + parts[i][1:]
		bad["flipped part "+string(rune('0'+i))] = strings.Join(flipped, ".")
	}
	for name, jwe := range bad {
		for _, hint := range []string{"", goldenKey} {
			o := &opener{ctx: context.Background(), keys: goldenKeys(), hint: hint}
			if got, err := o.open(jwe); !errors.Is(err, errSealed) {
				t.Errorf("%s: got %q, %v", name, got, err)
			}
		}
	}
}

func TestEveryValueIsSealedWithANonceOfItsOwn(t *testing.T) {
	c := New(goldenKeys())
	commit := received()
	one, err := c.Encode(context.Background(), &commit)
	if err != nil {
		t.Fatal(err)
	}
	two, err := c.Encode(context.Background(), &commit)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(one, two) {
		t.Error("the same commit was sealed to the same bytes twice")
	}
}

// broken is a keyring that can't be reached.
type broken struct{}

func (broken) Key(context.Context, string) ([]byte, error) { return nil, errors.New("no route") }

func TestWithoutTheKeyItReadsErasedAndWithoutTheVaultItIsNotRead(t *testing.T) {
	ctx := context.Background()
	commit := received()
	data, err := New(goldenKeys()).Encode(ctx, &commit)
	if err != nil {
		t.Fatal(err)
	}
	got, err := New(ring{}).Decode(ctx, data, true)
	if err != nil {
		t.Fatal(err)
	}
	m := got.Events[0].(thread.MessageReceived)
	if m.Text != domain.Erased || m.ChannelID != domain.Erased {
		t.Errorf("text %q and id %q are not erased", m.Text, m.ChannelID)
	}
	m.Text, m.ChannelID = commit.Events[0].(thread.MessageReceived).Text, commit.Events[0].(thread.MessageReceived).ChannelID
	got.Events[0] = m
	if d := cmp.Diff(commit, got); d != "" {
		t.Errorf("what is not personal has changed (-written +read)\n%s", d)
	}

	if _, err := New(broken{}).Decode(ctx, data, true); err == nil {
		t.Error("a key that could not be read just now was taken for a destroyed one")
	}
	if got, err = New(broken{}).Decode(ctx, data, false); err != nil {
		t.Errorf("reading sealed needs no key: %v", err)
	}
	if text := string(got.Events[0].(thread.MessageReceived).Text); strings.Count(text, ".") != 4 || !strings.HasPrefix(text, "eyJ") {
		t.Errorf("%q is no JWE", text)
	}
}

func TestSealingLeavesTheCallersEventsAsTheyWere(t *testing.T) {
	for name, e := range samples() {
		k := New(goldenKeys()).kinds.read[name].kind
		commit := sampleCommit(k, e)
		if _, err := New(goldenKeys()).Encode(context.Background(), &commit); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(samples()[name], e); d != "" {
			t.Errorf("%s (-before +after)\n%s", name, d)
		}
	}
}

func TestAPersonalValueWithoutAKeyIsRefused(t *testing.T) {
	commit := received()
	commit.Key = ""
	if _, err := New(goldenKeys()).Encode(context.Background(), &commit); err == nil {
		t.Error("it was written without a key")
	}
	for _, key := range []string{"kdestroyed", `k"x`, "../x"} {
		commit.Key = key
		if _, err := New(ring{}).Encode(context.Background(), &commit); err == nil {
			t.Errorf("it was written with key %q, which there is not", key)
		}
	}
	commit.Key = "kdestroyed"
	if _, err := New(ring{}).Encode(context.Background(), &commit); !errors.Is(err, ErrNoKey) {
		t.Errorf("got %v, want ErrNoKey", err)
	}
	// Nothing to seal, no key needed: also the mark of what was erased is nothing to seal.
	commit.Events = []domain.Event{thread.Noted{Note: "n", Text: domain.Erased}, thread.Released{Operator: "ana", Cause: "manual"}}
	data, err := New(broken{}).Encode(context.Background(), &commit)
	if err != nil {
		t.Fatal(err)
	}
	got, err := New(broken{}).Decode(context.Background(), data, true)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(commit, got); d != "" {
		t.Error(d)
	}
}

func TestAStateIsSealedWhereverItIsPersonal(t *testing.T) {
	ctx, c := context.Background(), New(goldenKeys())
	yes := true
	state := func() *thread.State {
		return &thread.State{
			ID: threadID, Contact: contact.ID(threadID), Key: goldenKey, Name: "María López", Address: "+5491155550123", Latest: 1,
			Conversations: map[int]*thread.Conversation{1: {
				Number: 1, ID: threadID + "-1", State: thread.StateClosed, OpenedAt: at, Tags: []string{"vip"}, PausedTill: &later,
				Classification: thread.Classification{Outcome: "won", Fields: map[string]domain.Personal{"dni": "30111222", "zone": ""}},
				Rating:         &thread.Rated{Satisfied: &yes, Comment: "¡Gracias!", CreditDepartment: "support"},
			}},
			Seen:     map[string]thread.Sighting{"h": {Position: 7, Conversation: threadID + "-1"}},
			Position: 9, LastTime: at,
		}
	}
	s := state()
	data, err := c.SealState(ctx, goldenKey, s)
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"María", "5491155550123", "30111222", "Gracias"} {
		if bytes.Contains(data, []byte(word)) {
			t.Errorf("%q is in clear in %s", word, data)
		}
	}
	if d := cmp.Diff(state(), s); d != "" {
		t.Errorf("sealing has changed the state (-before +after)\n%s", d)
	}
	var got thread.State
	if err := c.OpenState(ctx, data, &got); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(state(), &got); d != "" {
		t.Errorf("(-sealed +opened)\n%s", d)
	}
	byValue, err := c.SealState(ctx, goldenKey, *s)
	if err != nil {
		t.Fatal(err)
	}
	got = thread.State{}
	if err := New(ring{}).OpenState(ctx, byValue, &got); err != nil {
		t.Fatal(err)
	}
	if got.Name != domain.Erased || got.Conversations[1].Rating.Comment != domain.Erased || got.Conversations[1].Classification.Fields["dni"] != domain.Erased {
		t.Errorf("without the key it reads %+v", got)
	}
	if got.Conversations[1].Classification.Fields["zone"] != "" {
		t.Error("what was empty is not empty any more")
	}
}

func TestWhatCanNotBeSealedForSureIsRefused(t *testing.T) {
	ctx, c := context.Background(), New(goldenKeys())
	for name, v := range map[string]any{
		"nothing": nil, "an interface": struct{ X any }{"María"}, "personal keys": map[domain.Personal]int{"María": 1},
		"no key for": struct{ X *[1]domain.Personal }{&[1]domain.Personal{"María"}},
	} {
		if data, err := c.SealState(ctx, "", v); err == nil {
			t.Errorf("%s: it was written: %s", name, data)
		}
	}
	for _, into := range []any{nil, thread.State{}, (*thread.State)(nil)} {
		if err := c.OpenState(ctx, []byte(`{}`), into); err == nil {
			t.Errorf("it was opened into %T", into)
		}
	}
	var s thread.State
	for _, data := range []string{"", "[]", `{"Name":"María"}`} {
		if err := c.OpenState(ctx, []byte(data), &s); err == nil {
			t.Errorf("%q was opened", data)
		}
	}
	// A type that leads back to itself, and one with nothing personal.
	type chain struct {
		Word domain.Personal
		Next *chain
	}
	data, err := c.SealState(ctx, goldenKey, chain{Word: "a", Next: &chain{Next: &chain{Word: "b"}}})
	if err != nil {
		t.Fatal(err)
	}
	var got chain
	if err := c.OpenState(ctx, data, &got); err != nil || got.Word != "a" || got.Next.Next.Word != "b" {
		t.Errorf("got %+v, %v", got, err)
	}
	type loop struct{ Next *loop }
	if data, err = c.SealState(ctx, "", loop{Next: &loop{}}); err != nil || string(data) != `{"Next":{"Next":null}}` {
		t.Errorf("got %s, %v", data, err)
	}
}
