package console

import (
	"errors"
	"strings"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/domain/thread"
)

// sentence is what a refusal says to people, in their language. A code that the words do not know keeps the domain's own
// English sentence behind a few of ours.
func (v *visit) sentence(r *domain.Refusal, img *setting.Image) string {
	key := "refusal." + string(r.Code)
	switch {
	case v.beside() && r.Code != domain.CodeForbidden: // whatever became of it, it is not the one that is open
		return v.T("refusal.beside")
	case r.Code == thread.CodeTakenByAnother && r.Owner != "":
		return v.T(key, "name", operatorName(img, r.Owner))
	case r.Code == thread.CodeCloseRequirements:
		named := make([]string, len(r.Missing))
		for i, m := range r.Missing {
			named[i] = v.requirement(m)
		}
		return v.T(key, "missing", strings.Join(named, ", "))
	case r.Code == domain.CodeNotAllowed:
		return v.T(key, "state", strings.ToLower(v.T("state."+r.State)))
	case v.Has(key):
		return v.T(key)
	}
	return v.T("refusal.other", "detail", r.Detail)
}

func (v *visit) requirement(m string) string {
	if id, ok := strings.CutPrefix(m, "field:"); ok {
		return id
	}
	if key := "requirement." + m; v.Has(key) {
		return v.T(key)
	}
	return m
}

// refusalOf is the refusal in err, if it is one that the page can show beside the conversation. What is not there, or may
// not be seen, is the whole page's answer.
func refusalOf(err error) (*domain.Refusal, bool) {
	var r *domain.Refusal
	return r, errors.As(err, &r) && r.Code != domain.CodeNotFound
}

func operatorName(img *setting.Image, id string) string {
	if name := string(img.Operators[id].Name); name != "" {
		return name
	}
	return id
}

func operatorNames(img *setting.Image, ids []string) string {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = operatorName(img, id)
	}
	return strings.Join(names, ", ")
}

func departmentName(img *setting.Image, id string) string {
	if name := img.Departments[id].Name; name != "" {
		return name
	}
	return id
}

func channelName(img *setting.Image, id string) string {
	if name := img.Channels[id].Name; name != "" {
		return name
	}
	return id
}
