package codec

import (
	"context"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/contact"
	"github.com/turno-desk/turno/domain/thread"
)

// received is an ordinary message: one text and the channel's id of it are personal.
func received() domain.Commit {
	return domain.Commit{
		ID: "c8f2k5q1w7e3r9t4y6u0i2o5p8", Recorded: at, Time: at, Origin: domain.OriginLive,
		Aggregate: domain.Aggregate{Workspace: "default", Category: domain.CategoryThread, ID: threadID},
		Actor:     domain.Actor{Kind: domain.ActorContact, Via: "service:web"},
		BodyHash:  "a3b5c7d9e2f4g6h8j1k3m5n7pq", Image: 41, Key: goldenKey,
		Conversation: conversationID, Ticket: 1042, Contact: contact.ID(threadID), Channel: "web",
		Before: &domain.Sight{State: "attending", Department: "support", Owner: "ana"},
		After:  &domain.Sight{State: "attending", Department: "support", Owner: "ana"},
		Events: []domain.Event{thread.MessageReceived{
			Message: conversationID + "-m13", IDHash: "q7w2e5r8t1y4u6i9o3p5a2s4d6", ChannelID: "wamid.HBgNNTQ5MTE1NTU1MDEyMxU",
			Content: thread.Content{Kind: thread.KindText, Text: "I have been waiting for my parcel since last Tuesday, where is it?"},
		}},
	}
}

// taken is a commit without anything personal.
func taken() domain.Commit {
	c := received()
	c.Key = ""
	c.Actor = domain.Actor{Kind: domain.ActorOperator, ID: "ana"}
	c.Events = []domain.Event{thread.Taken{Operator: "ana", Department: "support", How: thread.TakenByHand}}
	return c
}

func BenchmarkEncode(b *testing.B) {
	for name, commit := range map[string]domain.Commit{"message_received": received(), "taken": taken()} {
		b.Run(name, func(b *testing.B) {
			c := New(goldenKeys())
			b.ReportAllocs()
			for b.Loop() {
				data, err := c.Encode(context.Background(), &commit)
				if err != nil {
					b.Fatal(err)
				}
				b.SetBytes(int64(len(data)))
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	for name, commit := range map[string]domain.Commit{"message_received": received(), "taken": taken()} {
		for how, open := range map[string]bool{"open": true, "sealed": false} {
			b.Run(name+"/"+how, func(b *testing.B) {
				c := New(goldenKeys())
				data, err := c.Encode(context.Background(), &commit)
				if err != nil {
					b.Fatal(err)
				}
				b.SetBytes(int64(len(data)))
				b.ReportAllocs()
				for b.Loop() {
					if _, err := c.Decode(context.Background(), data, open); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkStructured(b *testing.B) {
	c, commit := New(goldenKeys()), received()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Structured(&commit); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkOneValue compares what one sealed value costs here and with go-jose.
func BenchmarkOneValue(b *testing.B) {
	const text = "I have been waiting for my parcel since last Tuesday, where is it?"
	key := goldenKeys()[goldenKey]
	s, err := newSealer(goldenKey, key)
	if err != nil {
		b.Fatal(err)
	}
	jwe := s.seal(text, randomNonce)
	b.Run("seal", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			s.seal(text, randomNonce)
		}
	})
	b.Run("open", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := s.open(jwe[len(s.header):]); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("key", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := newSealer(goldenKey, key); err != nil {
				b.Fatal(err)
			}
		}
	})
	encrypter, err := jose.NewEncrypter(jose.A256GCM, jose.Recipient{Algorithm: jose.DIRECT, Key: key, KeyID: goldenKey}, nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("seal/go-jose", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			o, err := encrypter.Encrypt([]byte(text))
			if err != nil {
				b.Fatal(err)
			}
			if _, err := o.CompactSerialize(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("open/go-jose", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			o, err := jose.ParseEncryptedCompact(jwe, []jose.KeyAlgorithm{jose.DIRECT}, []jose.ContentEncryption{jose.A256GCM})
			if err != nil {
				b.Fatal(err)
			}
			if _, err := o.Decrypt(key); err != nil {
				b.Fatal(err)
			}
		}
	})
}
