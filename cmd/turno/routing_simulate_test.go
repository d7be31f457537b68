package main

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestADayIsReplayedUnderAnotherRuleAndStaffing is N16 through the whole program, on the conversation that the metrics are
// defined by: it waited 240 s for Ana and 360 s for Beto.
func TestADayIsReplayedUnderAnotherRuleAndStaffing(t *testing.T) {
	dir := imported(t)
	simulate := func(flags ...string) string {
		t.Helper()
		out, errs, err := turno(t, append([]string{"routing", "simulate", "--data", dir, "--log-level", "warn",
			"--from", "2026-03-02", "--to", "2026-03-03T00:00:00Z"}, flags...)...)
		if err != nil {
			t.Fatalf("%v\n%s", err, errs)
		}
		return out
	}
	for name, c := range map[string]struct {
		flags []string
		want  map[string][2]float64 // by department: the mean wait as it was, and as it would have been
	}{
		"people take it after a minute": {[]string{"--pickup", "60s"}, map[string][2]float64{"": {300, 60}, "soporte": {240, 60}, "ventas": {360, 60}}},
		"a rule gives it at once":       {[]string{"--rule", "longest_idle"}, map[string][2]float64{"": {300, 0}, "soporte": {240, 0}, "ventas": {360, 0}}},
		"one department alone": {[]string{"--rule", "least_busy", "--operators", "ventas=1", "--capacity", "1", "--department", "ventas", "--pickup", "30s"},
			map[string][2]float64{"ventas": {360, 0}}},
		"others who take it": {[]string{"--operators", "2", "--capacity", "3", "--pickup", "5s"},
			map[string][2]float64{"": {300, 5}, "soporte": {240, 5}, "ventas": {360, 5}}},
	} {
		t.Run(name, func(t *testing.T) {
			out := simulate(append(c.flags, "--format", "json")...)
			var got comparison
			if err := json.Unmarshal([]byte(out), &got); err != nil {
				t.Fatal(err)
			}
			if len(got.Departments) != len(c.want) {
				t.Errorf("%d departments: %s", len(got.Departments), out)
			}
			for _, d := range got.Departments {
				if want := c.want[d.Department]; *d.Was.Mean != want[0] || *d.Would.Mean != want[1] {
					t.Errorf("%q waited %v and would have waited %v, want %v", d.Department, *d.Was.Mean, *d.Would.Mean, want)
				}
			}
			if again := simulate(append(c.flags, "--format", "json")...); again != out {
				t.Error("the same question has two answers")
			}
		})
	}
	table := simulate("--rule", "least_busy", "--operators", "soporte=1", "--operators", "ventas=2")
	for _, want := range []string{"soporte: rule least_busy, one operator all the time.", "ventas: rule least_busy, 2 operators", "as it was", "simulated", "in 5m"} {
		if !strings.Contains(table, want) {
			t.Errorf("the table lacks %q:\n%s", want, table)
		}
	}
	for want, flags := range map[string][]string{
		"the first before the second": {"--from", "2026-03-04"},
		"no rule":                     {"--rule", "fastest"},
		"no department":               {"--department", "compras"},
		"from 1 on":                   {"--operators", "soporte=0"},
		"a capacity of -1":            {"--capacity=-1"},
	} {
		args := append([]string{"routing", "simulate", "--data", dir, "--log-level", "warn", "--from", "2026-03-02", "--to", "2026-03-03"}, flags...)
		if _, _, err := turno(t, args...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", flags, err, want)
		}
	}
}
