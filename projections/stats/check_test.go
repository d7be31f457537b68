package stats

import (
	"testing"

	"github.com/turno-desk/turno/projections/viewtest"
)

func TestTheRowsKeepTheRulesThatTheyAreCheckedBy(t *testing.T) {
	viewtest.Rules(t, New(), map[string]string{
		"a sample ends before it begins":              `UPDATE samples SET start = at + 1 WHERE start IS NOT NULL`,
		"a sample was taken back before it was taken": `UPDATE samples SET until = 1 WHERE ref > 1`,
		"a sample has no dimensions":                  `DELETE FROM dims`,
		"an open conversation is none":                `DELETE FROM conversations`,
		"a fold is of no conversation":                `DELETE FROM conversations`,
	})
}
