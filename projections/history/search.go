package history

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/access"
)

// Search finds conversations by number and by content. Every word of text must stand in one message, note, summary,
// rating or contact of the conversation; a word ending in * stands for all that begin with it; words in double quotes must
// follow each other; a number, with or without #, is a ticket as well and comes first. Accents and case don't matter.
// Newest text first. An empty text lists what the filter lets pass. ErrCursor, ErrSearch.
func (q *Queries) Search(ctx context.Context, workspace string, v access.Viewer, text string, f Filter, from string, limit int) (Page[Match], error) {
	var page Page[Match]
	limit = capped(limit)
	if strings.TrimSpace(text) == "" {
		listed, err := q.Conversations(ctx, workspace, v, f, from, limit, 0)
		page = Page[Match]{Items: make([]Match, len(listed.Items)), Next: listed.Next, HasMore: listed.HasMore, Position: listed.Position}
		for i, c := range listed.Items {
			page.Items[i].Conversation = c
		}
		return page, err
	}
	s, err := parseSearch(text)
	if err != nil {
		return page, err
	}
	err = q.read(ctx, workspace, v, 0, func(r *reading) error {
		page, err = r.search(s, f, from, limit)
		return err
	})
	return page, err
}

// search reads one page. Its cursor is where the first page began and where the last one ended, both places: what is
// written meanwhile is behind the first and changes no later page.
func (r *reading) search(s search, f Filter, from string, limit int) (Page[Match], error) {
	page := Page[Match]{Items: []Match{}, Position: r.at}
	top, last, more, err := readCursor("search", from)
	if err != nil {
		return page, err
	}
	if !more {
		top, last = ceiling(r.at), ceiling(r.at)+1
	}
	numbered, err := r.numbered(s, f)
	if err != nil {
		return page, err
	}
	if !more {
		for _, now := range numbered {
			page.Items = append(page.Items, Match{
				Conversation: now.answer(), Match: &Found{In: "ticket", Text: fmt.Sprintf("#%d", s.number), Position: now.opened},
			})
		}
		apart, err := r.apart(s, f)
		if err != nil {
			return page, err
		}
		page.Items = append(page.Items, apart...)
	}
	if r.index.query(s.terms) == "" {
		return page, nil
	}
	hits, more, err := r.hits(s, f, numbered, top, last, limit-len(page.Items))
	if err != nil {
		return page, err
	}
	for _, h := range hits {
		m, err := r.match(h)
		if err != nil {
			return page, err
		}
		page.Items, last = append(page.Items, m), h.at
	}
	if more {
		page.HasMore, page.Next = true, cursor("search", top, last)
	}
	return page, nil
}

// numbered are the conversations of the ticket that the search may have named.
func (r *reading) numbered(s search, f Filter) ([]*record, error) {
	if s.number == 0 {
		return nil, nil
	}
	ticket, root, err := r.byTicket(s.number)
	if err != nil || len(ticket) == 0 {
		return nil, err
	}
	narrow, args := f.where("c", r.at)
	condition, of := r.ofTicket(root)
	passed, err := r.findAll(condition+narrow, append(of, args...)...)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(ticket, func(t *record) bool {
		return !f.lets(t) || !slices.ContainsFunc(passed, func(p *record) bool { return p.opened == t.opened })
	}), nil
}

// hit is a text that holds the words, and its conversation.
type hit struct {
	at     int64
	record *record
}

// hits reads up to limit conversations of which a text below the place last holds the words, the newest text first, but
// not those of skip, nor those that an earlier page has shown: they have such a text from last on up to top. more is true
// when another one follows.
func (r *reading) hits(s search, f Filter, skip []*record, top, last int64, limit int) (page []hit, more bool, err error) {
	done := map[domain.Position]bool{}
	for _, now := range skip {
		done[now.opened] = true
	}
	chunk := 4*limit + 4
	for below := last; ; {
		found, err := r.matching(s, f, below, chunk)
		if err != nil {
			return nil, false, err
		}
		for _, h := range found {
			below = h.at
			if h.record == nil || done[h.record.opened] {
				continue
			}
			done[h.record.opened] = true
			shown, err := r.shown(s, h.record, last, top)
			if err != nil {
				return nil, false, err
			}
			if shown {
				continue
			}
			if len(page) >= limit {
				return page, true, nil
			}
			page = append(page, h)
		}
		if len(found) < chunk {
			return page, false, nil
		}
	}
}

// matching reads up to n texts below a place that hold the words, newest first. Their record is nil where the viewer may
// not see it or the filter doesn't let it pass.
func (r *reading) matching(s search, f Filter, below int64, n int) ([]hit, error) {
	key := r.index.key()
	serving, args := r.serving()
	rule, ruleArgs := r.where()
	narrow, narrowArgs := f.where("c", r.at)
	args = append(append(append(append(args, r.index.query(s.terms), below, r.workspace), ruleArgs...), narrowArgs...), n)
	found, err := r.tx.QueryContext(r.ctx, "SELECT "+recordColumns+", "+serving+`, `+key+` FROM texts t CROSS JOIN entries e CROSS JOIN conversations c
		WHERE e.at = `+key+` AND c.opened = e.conversation AND `+r.index.holds()+` AND `+key+` < ? AND c.workspace = ? AND `+
		rule+narrow+` ORDER BY `+key+` DESC LIMIT ?`, args...)
	if err != nil {
		return nil, fmt.Errorf("history: search: %w", err)
	}
	defer found.Close()
	var hits []hit
	for found.Next() {
		var (
			h      hit
			serves bool
		)
		now, err := scanRecord(found, &serves, &h.at)
		if err != nil {
			return nil, fmt.Errorf("history: search: %w", err)
		}
		if r.sees(now, serves) && f.lets(now) {
			h.record = now
		}
		hits = append(hits, h)
	}
	if err := found.Err(); err != nil {
		return nil, fmt.Errorf("history: search: %w", err)
	}
	return hits, nil
}

// shown reports whether a text of the conversation from one place on up to another holds the words.
func (r *reading) shown(s search, now *record, from, to int64) (bool, error) {
	if from > to || ceiling(now.revision) < from {
		return false, nil
	}
	var shown bool
	err := r.tx.QueryRowContext(r.ctx, `SELECT EXISTS (SELECT 1 FROM entries e CROSS JOIN texts t
		WHERE `+r.index.key()+` = e.at AND e.conversation = ? AND e.at >= ? AND e.at <= ? AND `+r.index.holds()+`)`,
		int64(now.opened), from, to, r.index.query(s.terms)).Scan(&shown)
	if err != nil {
		return false, fmt.Errorf("history: search: %w", err)
	}
	return shown, nil
}

// match reads the text that was found.
func (r *reading) match(h hit) (Match, error) {
	m := Match{Conversation: h.record.answer()}
	var (
		typ  string
		data []byte
	)
	if err := r.tx.QueryRowContext(r.ctx, `SELECT type, data FROM entries WHERE at = ?`, h.at).Scan(&typ, &data); err != nil {
		return m, fmt.Errorf("history: search: %w", err)
	}
	event, err := parse(typ, data)
	if err != nil {
		return m, err
	}
	in, text := words(event)
	p, _ := placed(h.at)
	m.Match = &Found{In: in, Text: text, Position: p}
	return m, nil
}
