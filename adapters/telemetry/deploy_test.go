package telemetry

import (
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// monitoring is where what is given to Prometheus and Grafana lies.
const monitoring = "../../deploy/monitoring/"

// expressions are what the alert rules and the dashboard ask of Prometheus, by what asks.
func expressions(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	var rules struct {
		Groups []struct {
			Rules []struct {
				Alert       string
				Expr        string
				Labels      map[string]string
				Annotations map[string]string
			}
		}
	}
	text, err := os.ReadFile(monitoring + "alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, &rules); err != nil {
		t.Fatal(err)
	}
	for _, g := range rules.Groups {
		for _, r := range g.Rules {
			if !slices.Contains([]string{"critical", "warning"}, r.Labels["severity"]) || r.Annotations["summary"] == "" {
				t.Errorf("%s does not say how bad it is, or what", r.Alert)
			}
			all["alert "+r.Alert] = r.Expr
		}
	}
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if text, err = os.ReadFile(monitoring + "dashboard.json"); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &dashboard); err != nil {
		t.Fatal(err)
	}
	for _, p := range dashboard.Panels {
		for _, target := range p.Targets {
			all["panel "+p.Title+": "+target.Expr] = target.Expr
		}
	}
	if len(all) < 40 {
		t.Errorf("found %d expressions", len(all))
	}
	return all
}

var (
	metricNames = regexp.MustCompile(`\b(turno_[a-z_]+)\b(?:\{([^}]*)\})?`)
	groupings   = regexp.MustCompile(`\bby \(([^)]*)\)`)
	matchers    = regexp.MustCompile(`([a-z_]+)(?:=~|!~|!=|=)"([^"]*)"`)
)

// TestAlertsAndDashboardAskForMetricsAndLabelsThatExist holds each expression against the catalogue.
func TestAlertsAndDashboardAskForMetricsAndLabelsThatExist(t *testing.T) {
	asked := map[string]bool{}
	for who, expr := range expressions(t) {
		var labels []string
		for _, found := range metricNames.FindAllStringSubmatch(expr, -1) {
			name := found[1]
			m, is := lookUp(name)
			if !is {
				t.Errorf("%s: there is no metric %s", who, name)
				continue
			}
			asked[m.Name] = true
			labels = append(labels, m.labels()...)
			for _, matcher := range matchers.FindAllStringSubmatch(found[2], -1) {
				if !slices.Contains(m.labels(), matcher[1]) {
					t.Errorf("%s: %s has no label %s", who, m.Name, matcher[1])
				}
				for _, value := range strings.Split(matcher[2], "|") {
					if meaning := meaningOf(m, matcher[1]); strings.Contains(meaning, "`") && !strings.Contains(meaning, "`"+value+"`") {
						t.Errorf("%s: %s of %s is never %q", who, matcher[1], m.Name, value)
					}
				}
			}
			if m.Kind == Counter && !regexp.MustCompile(`(rate|increase)\(`+name).MatchString(expr) {
				t.Errorf("%s: %s is a counter, which says something as a rate alone", who, name)
			}
		}
		for _, grouping := range groupings.FindAllStringSubmatch(expr, -1) {
			for _, label := range strings.Split(grouping[1], ", ") {
				if label != "le" && label != "instance" && !slices.Contains(labels, label) {
					t.Errorf("%s: there is no label %s to group by", who, label)
				}
			}
		}
		if opened, closed := strings.Count(expr, "("), strings.Count(expr, ")"); opened != closed {
			t.Errorf("%s: %d brackets open, %d close", who, opened, closed)
		}
	}
	for _, m := range Catalogue() {
		if !asked[m.Name] && m.Name != "turno_settings_position" {
			t.Errorf("%s is on no panel and in no rule", m.Name)
		}
	}
}

// TestThePageSaysWhatToDoAboutEveryAlert and about no other.
func TestThePageSaysWhatToDoAboutEveryAlert(t *testing.T) {
	page, err := os.ReadFile("../../docs/operations/monitoring.md")
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]bool{}
	for _, found := range regexp.MustCompile("`(Turno[A-Z][A-Za-z]+)`").FindAllStringSubmatch(string(page), -1) {
		told[found[1]] = true
	}
	for who := range expressions(t) {
		if alert, is := strings.CutPrefix(who, "alert "); is {
			if !told[alert] {
				t.Errorf("the page does not say what to do about %s", alert)
			}
			delete(told, alert)
		}
	}
	for alert := range told {
		t.Errorf("the page tells of %s, which nobody raises", alert)
	}
}

func lookUp(name string) (Metric, bool) {
	for _, m := range Catalogue() {
		switch {
		case m.Name == name && m.Kind != Histogram:
			return m, true
		case m.Kind == Histogram && slices.Contains([]string{m.Name + "_bucket", m.Name + "_sum", m.Name + "_count"}, name):
			return m, true
		}
	}
	return Metric{}, false
}

// meaningOf is what is said of a label, where its values are listed; empty for one that takes others.
func meaningOf(m Metric, label string) string {
	if label != "result" && label != "outcome" && label != "operation" {
		return ""
	}
	for _, l := range m.Labels {
		if l.Name == label {
			return l.Meaning
		}
	}
	return ""
}

func TestPrometheusUnderstandsTheAlertRules(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("there is no promtool here: apt-get install prometheus")
	}
	if out, err := exec.Command(promtool, "check", "rules", monitoring+"alerts.yml").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
