package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"go.uber.org/zap"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/projections"
)

type projectionsCmd struct {
	List    projectionsListCmd    `cmd:"" help:"List the views with their versions."`
	Rebuild projectionsRebuildCmd `cmd:"" help:"Build views anew beside the active versions, compare, and switch, while all goes on."`
	Switch  projectionsSwitchCmd  `cmd:"" help:"Make another version of a view the active one: the way back."`
	Drop    projectionsDropCmd    `cmd:"" help:"Remove a version of a view that is not the active one."`
	Park    projectionsParkCmd    `cmd:"" help:"List what a view has parked, or park an aggregate by hand."`
	Release projectionsReleaseCmd `cmd:"" help:"Give what a view has parked another chance, by building the view anew."`
}

// viewsOf is where the commands about views find the log and the views.
type viewsOf struct {
	logFlags
	viewFlags
}

// open opens the views of a log, and the log to read. The caller calls close.
func (f viewsOf) open(p *program, names []string) (r *reading, v views, close func(), err error) {
	if err := known(names); err != nil {
		return nil, nil, nil, err
	}
	if r, err = openToRead(p, f.logFlags); err != nil {
		return nil, nil, nil, err
	}
	if v, err = f.openViews(p, r.dir); err != nil {
		r.close()
		return nil, nil, nil, err
	}
	return r, v, func() {
		if err := v.Close(); err != nil {
			p.log.Warn("close the views", zap.Error(err))
		}
		r.close()
	}, nil
}

// alone opens the views without the log.
func (f viewsOf) alone(p *program, name string) (views, error) {
	if err := known([]string{name}); err != nil {
		return nil, err
	}
	return f.openViews(p, f.Data)
}

// known fails on a name that is no projection's.
func known(names []string) error {
	for _, name := range names {
		if !slices.Contains(projectionNames, name) {
			return fmt.Errorf("there is no projection %q: want one of %s", name, strings.Join(projectionNames, ", "))
		}
	}
	return nil
}

// named are the projections that a command line names: all when none.
func named(names []string) []string {
	if len(names) == 0 {
		return projectionNames
	}
	return names
}

type projectionsListCmd struct {
	viewsOf
	JSON bool     `name:"json" help:"As JSON, one array."`
	Only []string `arg:"" name:"view" optional:"" help:"Only these views."`
}

// listedVersion is one line of the list.
type listedVersion struct {
	View       string           `json:"view"`
	Version    int              `json:"version"`
	Definition int              `json:"definition"`
	Active     bool             `json:"active"`
	Position   domain.Position  `json:"position"`
	Lag        uint64           `json:"lag"` // commits of the log that are not in it
	Parked     int              `json:"parked"`
	Size       int64            `json:"size"` // bytes
	Created    projections.Time `json:"created"`
}

func (cmd projectionsListCmd) Run(p *program) error {
	r, views, closeAll, err := cmd.open(p, cmd.Only)
	if err != nil {
		return err
	}
	defer closeAll()
	all := []listedVersion{}
	for _, name := range named(cmd.Only) {
		states, err := projections.Describe(p.ctx, r.store, views, name)
		if err != nil {
			return err
		}
		for _, s := range states {
			all = append(all, listedVersion{
				View: name, Version: s.Number, Definition: s.Definition, Active: s.Active, Position: s.Position, Lag: s.Lag,
				Parked: len(s.Parked), Size: s.Size, Created: projections.Time{Time: s.Created},
			})
		}
	}
	if cmd.JSON {
		out := json.NewEncoder(p.stdout)
		out.SetIndent("", "  ")
		return out.Encode(all)
	}
	return writeVersions(p.stdout, all)
}

func writeVersions(out io.Writer, all []listedVersion) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "VIEW\tVERSION\tDEFINITION\tACTIVE\tPOSITION\tLAG\tPARKED\tSIZE\tCREATED")
	for _, v := range all {
		active, created := "", "-"
		if v.Active {
			active = "active"
		}
		if !v.Created.IsZero() {
			created = v.Created.UTC().Format(time.DateTime)
		}
		fmt.Fprintf(w, "%s\t%d\t%d\t%s\t%d\t%d\t%d\t%s\t%s\n", v.View, v.Version, v.Definition, active, v.Position, v.Lag, v.Parked, megabytes(v.Size), created)
	}
	return w.Flush()
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }

type projectionsRebuildCmd struct {
	viewsOf
	NoSwitch bool     `name:"no-switch" help:"Leave the new versions beside the active ones."`
	Only     []string `arg:"" name:"view" optional:"" help:"Only these views, in this order; all when none is named."`
}

func (cmd projectionsRebuildCmd) Run(p *program) error {
	return rebuildViews(p, cmd.viewsOf, named(cmd.Only), cmd.NoSwitch, nil)
}

// rebuildViews rebuilds one view after the other, and goes on after a failure: each view is a matter of its own.
// refuse, which may be nil, is asked before each.
func rebuildViews(p *program, f viewsOf, names []string, keep bool, refuse func(v views, name string) error) error {
	r, v, closeAll, err := f.open(p, names)
	if err != nil {
		return err
	}
	defer closeAll()
	var failed []error
	for _, name := range names {
		if refuse != nil {
			if err := refuse(v, name); err != nil {
				return err
			}
		}
		if err := rebuildView(p, r, v, name, keep); err != nil {
			failed = append(failed, err)
		}
		if p.ctx.Err() != nil {
			break
		}
	}
	return errors.Join(failed...)
}

func rebuildView(p *program, r *reading, v views, name string, keep bool) error {
	projection, err := newProjection(name, r, v.Dialect())
	if err != nil {
		return err
	}
	done, err := projections.Rebuild(p.ctx, r.store, v, projection, r.store, projections.RebuildOptions{
		Options: projections.Options{Logger: p.log}, Keep: keep,
		Report: func(now projections.Progress) {
			fmt.Fprintf(p.stderr, "%s: version %d at %d of %d, %.0f events/s\n",
				name, now.Version, now.Position, now.Goal, float64(now.Events)/now.Elapsed.Seconds())
		},
	})
	if err != nil {
		if errors.Is(err, projections.ErrDiffers) || errors.Is(err, projections.ErrBroken) {
			return fmt.Errorf("%w\nversion %d is kept for a look; turno projections switch %s %d makes it the active one all the same, turno projections drop %s %d removes it",
				err, done.Version, name, done.Version, name, done.Version)
		}
		return err
	}
	fmt.Fprintf(p.stdout, "%s: version %d, definition %d, %d events in %s (%.0f/s); %s; %s\n", name, done.Version, done.Definition,
		done.Events, done.Built.Round(time.Millisecond), float64(done.Events)/done.Built.Seconds(), compared(done), switched(done))
	return nil
}

func compared(d projections.Rebuilt) string {
	c := d.Compared
	switch {
	case d.Before == 0:
		return "there was none to compare with"
	case c.Digests[0] != "":
		return fmt.Sprintf("equal to version %d at %d, digest %.12s…, compared in %s", d.Before, c.Position, c.Digests[0], c.Took.Round(time.Millisecond))
	}
	var tables []string
	for _, t := range c.Counts {
		tables = append(tables, fmt.Sprintf("%s %d→%d", t.Table, t.Rows[0], t.Rows[1]))
	}
	return fmt.Sprintf("no table has fewer rows than in version %d at %d (%s)", d.Before, c.Position, strings.Join(tables, ", "))
}

func switched(d projections.Rebuilt) string {
	switch {
	case !d.Switched:
		return fmt.Sprintf("version %d stays the active one", d.Before)
	case d.Before == 0:
		return "it is the active one"
	}
	return fmt.Sprintf("active since %d, switched in %s; version %d is kept until it is dropped", d.Position, d.Fenced.Round(100*time.Microsecond), d.Before)
}

type projectionsSwitchCmd struct {
	viewsOf
	View    string `arg:"" help:"The view."`
	Version int    `arg:"" help:"The number of the version, as turno projections list shows it."`
}

func (cmd projectionsSwitchCmd) Run(p *program) error {
	r, v, closeAll, err := cmd.open(p, []string{cmd.View})
	if err != nil {
		return err
	}
	defer closeAll()
	projection, err := newProjection(cmd.View, r, v.Dialect())
	if err != nil {
		return err
	}
	took, err := projections.SwitchTo(p.ctx, r.store, v, projection, r.store, cmd.Version, projections.Options{Logger: p.log})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.stdout, "%s: version %d is the active one, switched in %s\n", cmd.View, cmd.Version, took.Round(100*time.Microsecond))
	return err
}

type projectionsDropCmd struct {
	viewsOf
	View    string `arg:"" help:"The view."`
	Version int    `arg:"" help:"The number of the version; the active one is refused."`
}

func (cmd projectionsDropCmd) Run(p *program) error {
	v, err := cmd.alone(p, cmd.View)
	if err != nil {
		return err
	}
	defer v.Close()
	if err := projections.Drop(p.ctx, v, cmd.View, cmd.Version); err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.stdout, "%s: version %d is dropped\n", cmd.View, cmd.Version)
	return err
}

type projectionsParkCmd struct {
	viewsOf
	View      string `arg:"" help:"The view."`
	Aggregate string `arg:"" optional:"" help:"What to park from now on: CATEGORY/ID, as in thread/t0123…, or the whole subject."`
}

func (cmd projectionsParkCmd) Run(p *program) error {
	v, err := cmd.alone(p, cmd.View)
	if err != nil {
		return err
	}
	defer v.Close()
	if cmd.Aggregate == "" {
		return cmd.list(p, v)
	}
	a, err := aggregate(cmd.Workspace, cmd.Aggregate)
	if err != nil {
		return err
	}
	fresh, err := projections.Park(p.ctx, v, cmd.View, a.String())
	if err != nil {
		return err
	}
	said := "is parked"
	if !fresh {
		said = "was parked already"
	}
	_, err = fmt.Fprintf(p.stdout, "%s: %s %s; turno projections release %s brings it back\n", cmd.View, a, said, cmd.View)
	return err
}

func (cmd projectionsParkCmd) list(p *program, v views) error {
	all, err := projections.ListParked(p.ctx, v.Reader(cmd.View))
	if err != nil {
		return err
	}
	if len(all) == 0 {
		_, err = fmt.Fprintf(p.stdout, "%s: nothing is parked\n", cmd.View)
		return err
	}
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "AGGREGATE\tFROM\tPASSED BY\tSINCE\tREASON")
	for _, a := range all {
		fmt.Fprintf(w, "%s\t%d\t%d\t%s\t%s\n", a.Aggregate, a.Position, a.Skipped, a.Since.UTC().Format(time.DateTime), a.Reason)
	}
	return w.Flush()
}

// aggregate reads CATEGORY/ID, or a whole subject.
func aggregate(workspace, s string) (domain.Aggregate, error) {
	a := domain.Aggregate{Workspace: workspace}
	category, id, short := strings.Cut(s, "/")
	if !short {
		parts := strings.SplitN(s, ".", 4)
		if len(parts) != 4 || parts[0] != "turno" {
			return a, fmt.Errorf("%q names no aggregate: want CATEGORY/ID, as in thread/t0123…, or turno.WORKSPACE.CATEGORY.ID", s)
		}
		a.Workspace, category, id = parts[1], parts[2], parts[3]
	}
	a.Category, a.ID = domain.Category(category), id
	if !a.Valid() {
		return a, fmt.Errorf("%q names no aggregate: want CATEGORY/ID, as in thread/t0123…, or turno.WORKSPACE.CATEGORY.ID", s)
	}
	return a, nil
}

type projectionsReleaseCmd struct {
	viewsOf
	View string `arg:"" help:"The view."`
}

func (cmd projectionsReleaseCmd) Run(p *program) error {
	return rebuildViews(p, cmd.viewsOf, []string{cmd.View}, false, func(v views, name string) error {
		all, err := projections.ListParked(p.ctx, v.Reader(name))
		if err == nil && len(all) == 0 {
			err = fmt.Errorf("%s has nothing parked", name)
		}
		return err
	})
}
