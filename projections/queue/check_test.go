package queue_test

import (
	"testing"

	"github.com/turno-desk/turno/projections/queue"
	"github.com/turno-desk/turno/projections/viewtest"
)

func TestTheRowsKeepTheRulesThatTheyAreCheckedBy(t *testing.T) {
	viewtest.Rules(t, queue.New(), map[string]string{
		"a conversation has two open intervals": `UPDATE interval SET to_position = NULL`,
		"an interval ends before it begins":     `UPDATE interval SET to_position = from_position - 1 WHERE to_position IS NOT NULL`,
		"an interval is of no conversation":     `UPDATE interval SET conv = -1 WHERE from_position = 1`,
		"a conversation is in no state":         `DELETE FROM interval WHERE conv = (SELECT max(conv) FROM conversation)`,
		"a message is of no conversation":       `DELETE FROM conversation WHERE conv = (SELECT max(conv) FROM conversation)`,
	})
}
