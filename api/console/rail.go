package console

import (
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections/queue"
)

// rail is the column of states with their counts.
type rail struct{ States []railState }

type railState struct {
	State  string
	Count  int
	Chosen bool
	Link   string
}

// railOf has the bot's conversations in it only where there is a bot.
func railOf(counts queue.Departments, at place, img *setting.Image) *rail {
	r := &rail{}
	for _, state := range lists() {
		n := 0
		for _, d := range counts.Items {
			n += d.Counts[state]
		}
		if state == thread.StateBot && n == 0 && at.list != state && !anyBot(img) {
			continue
		}
		r.States = append(r.States, railState{State: state, Count: n, Chosen: state == at.list, Link: at.at(state).link()})
	}
	return r
}

func anyBot(img *setting.Image) bool {
	for id, c := range img.Channels {
		if _, talks := img.MenuOf(id); talks && !c.Retired {
			return true
		}
	}
	return false
}

func (r *rail) count(state string) int {
	for _, s := range r.States {
		if s.State == state {
			return s.Count
		}
	}
	return 0
}
