package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/turno-desk/turno/api/command"
	apihttp "github.com/turno-desk/turno/api/http"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/domain/workflow/rehearsal"
)

// workflowsCmd is what is done with workflows besides defining them.
type workflowsCmd struct {
	DryRun workflowsDryRunCmd `cmd:"" help:"Tell over past events in which conversations workflows would have started, and which steps they would have done. Nothing is changed."`
}

type workflowsDryRunCmd struct {
	logFlags
	Workflow string `arg:"" help:"The id of a workflow, enabled or not; or a YAML file with the section workflows."`
	From     moment `required:"" help:"The period begins: a time or a day (UTC)."`
	To       moment `required:"" help:"It ends before: a time or a day (UTC)."`
}

// Run writes every run that would have begun in the period, and what they come to.
func (cmd workflowsDryRunCmd) Run(p *program) error {
	if cmd.From.time.IsZero() || cmd.To.time.IsZero() || !cmd.From.time.Before(cmd.To.time) {
		return errors.New("--from and --to are times or days, the first before the second")
	}
	r, err := openToRead(p, cmd.logFlags)
	if err != nil {
		return stopped(p.ctx, err)
	}
	defer r.close()
	image, _, err := command.NewImage(r.store, r.workspace, command.ImageOptions{Logger: p.log}).Confirm(p.ctx, nil)
	if err != nil {
		return fmt.Errorf("read the settings: %w", err)
	}
	workflows, err := cmd.workflows(image)
	if err != nil {
		return err
	}
	rehearsed := rehearsal.New(r.workspace, workflows, cmd.From.time, cmd.To.time)
	position, err := r.toHead(p.ctx, rehearsed.Opens(), rehearsed.Apply)
	if err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "From %s to %s, by the log up to position %d. Nothing was changed.\n", stampOf(cmd.From.time), stampOf(cmd.To.time), position)
	runs := rehearsed.Runs(time.Now())
	for _, w := range workflows {
		of := slices.DeleteFunc(slices.Clone(runs), func(run rehearsal.Run) bool { return run.Workflow != w.ID })
		if err := tellRuns(p.stdout, w, of); err != nil {
			return err
		}
	}
	return nil
}

// workflows are those of the file, checked against the settings, or the one of the settings.
func (cmd workflowsDryRunCmd) workflows(image *setting.Image) ([]setting.Workflow, error) {
	if w, ok := image.Workflow(cmd.Workflow); ok {
		return []setting.Workflow{w}, nil
	}
	data, err := os.ReadFile(cmd.Workflow)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%q is neither the id of a workflow nor a file", cmd.Workflow)
	}
	if err != nil {
		return nil, err
	}
	items, err := readSettings(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", cmd.Workflow, err)
	}
	bare := image.WithoutWorkflows() // one that is defined already is read all the same
	var all []setting.Workflow
	for _, item := range items {
		if item.section.Name != "workflows" {
			return nil, fmt.Errorf("%s: line %d: only workflows can be tried, not %s", cmd.Workflow, item.line, item.section.Name)
		}
		events, err := item.section.Decide(bare, item.id, item.body)
		if err != nil {
			missing, why := apihttp.Missing(err)
			return nil, fmt.Errorf("%s: line %d: %s: %s (%s)", cmd.Workflow, item.line, item.id, why, strings.Join(missing, ", "))
		}
		for _, e := range events {
			if e, ok := e.(setting.WorkflowDefined); ok {
				all = append(all, e.Workflow)
			}
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s has no workflows", cmd.Workflow)
	}
	return all, nil
}

// tellRuns writes the runs of one workflow, and what they come to.
func tellRuns(out io.Writer, w setting.Workflow, runs []rehearsal.Run) error {
	conversations := map[string]bool{}
	fmt.Fprintf(out, "\n%s (%s):\n", w.ID, w.Name)
	for _, run := range runs {
		conversations[run.Conversation] = true
		var steps []string
		for _, s := range run.Steps {
			step := s.Action
			if s.At.After(run.At) {
				step += " after " + s.At.Sub(run.At).Round(time.Second).String()
			}
			steps = append(steps, step)
		}
		what := string(run.Outcome)
		if run.Reason != "" {
			what += ": " + run.Reason
		}
		fmt.Fprintf(out, "  %s  #%d  %s  %s  [%s]\n", run.At.UTC().Format(time.RFC3339), run.Ticket, run.Conversation, strings.Join(steps, ", "), what)
	}
	actions, counts := rehearsal.Tally(runs)
	for k, action := range actions {
		actions[k] = fmt.Sprintf("%d × %s", counts[action], action)
	}
	if len(runs) == 0 {
		actions = []string{"nothing"}
	}
	_, err := fmt.Fprintf(out, "  %d runs in %d conversations: %s\n", len(runs), len(conversations), strings.Join(actions, ", "))
	return err
}
