package history_test

import (
	"testing"

	"github.com/turno-desk/turno/projections/history"
	"github.com/turno-desk/turno/projections/viewtest"
)

func TestTheRowsKeepTheRulesThatTheyAreCheckedBy(t *testing.T) {
	viewtest.Rules(t, history.New(viewtest.Dialect()), map[string]string{
		"an entry is of no conversation":      `DELETE FROM conversations WHERE opened = 1`,
		"a conversation has no entry":         `DELETE FROM entries`,
		"a conversation was never to be seen": `DELETE FROM sights`,
		"a sight ends before it begins":       `UPDATE sights SET to_position = from_position`,
		"a tag ends before it begins":         `UPDATE tags SET to_position = 0`,
	})
}
