package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	apihttp "github.com/turno-desk/turno/api/http"
	"github.com/turno-desk/turno/cmd/turno/demo"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/setting"
)

// settingsCmd is a desk's configuration as a file: read from, and brought to, a running engine.
type settingsCmd struct {
	URL   string `name:"url" default:"http://127.0.0.1:8080" help:"The API of a running engine (${default})."`
	Token string `env:"TURNO_ADMIN_TOKEN" help:"An administrator's token; TURNO_ADMIN_TOKEN by default."`

	Export settingsExportCmd `cmd:"" help:"Write the settings in use as YAML, to the file or to standard output."`
	Apply  settingsApplyCmd  `cmd:"" help:"Bring the settings of a YAML file to the desk. What is so already is left alone; what the file doesn't name too."`
}

type settingsExportCmd struct {
	File string `arg:"" optional:"" help:"Where to write; standard output when absent or -."`
}

type settingsApplyCmd struct {
	File   string `arg:"" help:"What to apply."`
	DryRun bool   `help:"Say what would change, and change nothing."`
}

// stored is one setting as the desk has it, as it was shown.
type stored struct {
	id    string
	shown map[string]any
}

func (s stored) retired() bool { return s.shown["retired"] == true }

// exported reports whether it belongs into a file: it was neither retired nor, an operator, deactivated.
func (s stored) exported() bool { return !s.retired() && s.shown["active"] != false }

func (cmd settingsCmd) client() (*demo.Client, error) {
	if cmd.Token == "" {
		return nil, errors.New("a token is needed: --token, or TURNO_ADMIN_TOKEN")
	}
	return demo.NewClient(cmd.URL, cmd.Token, 4), nil
}

// Run writes what is in use; what was retired, and operators who were deactivated, are left out.
func (cmd settingsExportCmd) Run(p *program, parent *settingsCmd) (err error) {
	client, err := parent.client()
	if err != nil {
		return err
	}
	current, err := currentSettings(p.ctx, client)
	if err != nil {
		return err
	}
	if cmd.File == "" || cmd.File == "-" {
		return writeSettings(p.stdout, apihttp.Sections(), current)
	}
	f, err := os.OpenFile(cmd.File, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600) // operators' names are in it
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return writeSettings(f, apihttp.Sections(), current)
}

// currentSettings reads all sections through the API, with what is out of use.
func currentSettings(ctx context.Context, client *demo.Client) (map[string][]stored, error) {
	all := map[string][]stored{}
	var me struct {
		Position int64 `json:"position"` // of the settings: the lists wait until they have come that far
	}
	if err := client.Get(ctx, "/v1/me", &me); err != nil {
		return nil, fmt.Errorf("asking who the token is: %w", err)
	}
	for _, s := range apihttp.Sections() {
		for cursor := ""; ; {
			var page struct {
				Items []map[string]any `json:"items"`
				Next  string           `json:"next"`
			}
			if err := client.Get(ctx, fmt.Sprintf("/v1/%s?limit=200&after=%d%s", s.Name, me.Position, cursor), &page); err != nil {
				return nil, fmt.Errorf("reading the %s: %w", s.Name, err)
			}
			for _, item := range page.Items {
				id, _ := item["id"].(string)
				all[s.Name] = append(all[s.Name], stored{id, item})
			}
			if page.Next == "" {
				break
			}
			cursor = "&cursor=" + page.Next
		}
	}
	return all, nil
}

// Run validates the whole file against the desk as it is, tells what would change, and then, unless it is a dry run, changes
// it, setting by setting. A second run changes nothing.
func (cmd settingsApplyCmd) Run(p *program, parent *settingsCmd) error {
	data, err := os.ReadFile(cmd.File)
	if err != nil {
		return err
	}
	items, err := readSettings(data)
	if err != nil {
		return fmt.Errorf("%s: %w", cmd.File, err)
	}
	client, err := parent.client()
	if err != nil {
		return err
	}
	current, err := currentSettings(p.ctx, client)
	if err != nil {
		return err
	}
	img, err := imageOf(current)
	if err != nil {
		return err
	}
	todo, wrong := planned(img, items, current)
	if len(wrong) > 0 {
		return fmt.Errorf("%s: nothing was changed:\n%s", cmd.File, strings.Join(wrong, "\n"))
	}
	for _, t := range todo {
		if !cmd.DryRun {
			if _, err := client.Do(p.ctx, "PUT", "/v1/"+t.section.Name+"/"+t.id, "", "", json.RawMessage(t.body)); err != nil {
				return fmt.Errorf("%s:%d: %s: %w", cmd.File, t.line, t.settingsItem, err)
			}
		}
		fmt.Fprintf(p.stdout, "%s %s\n", t.did, t.settingsItem)
	}
	verb := "changed"
	if cmd.DryRun {
		verb = "would change"
	}
	fmt.Fprintf(p.stdout, "%d of %d %s\n", len(todo), len(items), verb)
	return nil
}

// settingsStep is a setting that has to be brought to the desk.
type settingsStep struct {
	settingsItem
	did string // + new or brought back, ~ changed
}

// planned says which items change something, each decided with those before it done; and what is wrong with any. img is of current.
func planned(img *setting.Image, items []settingsItem, current map[string][]stored) (todo []settingsStep, wrong []string) {
	for _, i := range items {
		events, err := i.section.Decide(img, i.id, i.body)
		if err != nil {
			missing, why := apihttp.Missing(err)
			wrong = append(wrong, fmt.Sprintf("line %d: %s: %s%s", i.line, i, why, prefixed(" ", strings.Join(missing, ", "))))
			continue
		}
		if len(events) == 0 {
			continue
		}
		did := "+"
		if slices.ContainsFunc(current[i.section.Name], func(s stored) bool { return s.id == i.id && !s.retired() }) {
			did = "~"
		}
		img = with(img, events)
		todo = append(todo, settingsStep{i, did})
	}
	return todo, wrong
}

// imageOf makes settings in memory of what the desk has, as it is and without judging it: much of it could not be put today, as a
// step for an operator who has left.
func imageOf(current map[string][]stored) (*setting.Image, error) {
	img := &setting.Image{Workspace: "default"}
	var all []domain.Event
	for _, s := range apihttp.Sections() {
		for _, item := range current[s.Name] {
			shown, err := json.Marshal(item.shown)
			if err != nil {
				return nil, err
			}
			event, err := s.Stored(shown)
			if err != nil {
				return nil, fmt.Errorf("what the desk has of %s.%s is not understood: %w", s.Name, item.id, err)
			}
			all = append(all, event)
		}
	}
	return with(img, all), nil
}

func with(img *setting.Image, events []domain.Event) *setting.Image {
	return img.Apply(domain.Commit{
		Aggregate: domain.Aggregate{Workspace: img.Workspace}, Position: img.Position + 1, Events: events,
	})
}
