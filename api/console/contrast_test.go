package console

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// palette reads the colours of a theme from the stylesheet: those of the light one are the dark one's too, unless it has its
// own.
func palette(t *testing.T, dark bool) map[string][3]float64 {
	t.Helper()
	a, err := readAssets()
	if err != nil {
		t.Fatal(err)
	}
	css := string(a.files["console.css"])
	begin := strings.Index(css, "@media (prefers-color-scheme: dark)")
	end := begin + strings.Index(css[begin:], "\n}\n")
	if begin < 0 || end < begin {
		t.Fatal("the stylesheet has no dark theme")
	}
	text := css[:begin] + css[end:]
	if dark {
		text += css[begin:end]
	}
	colours := map[string][3]float64{}
	for _, m := range regexp.MustCompile(`--([a-z_-]+): #([0-9a-f]{6});`).FindAllStringSubmatch(text, -1) {
		colours[m[1]] = rgb(t, m[2])
	}
	for _, m := range regexp.MustCompile(`\.(hue-\d) \{ background: #([0-9a-f]{6}); color: #([0-9a-f]{6}); \}`).FindAllStringSubmatch(css, -1) {
		colours[m[1]], colours[m[1]+"-ink"] = rgb(t, m[2]), rgb(t, m[3])
	}
	return colours
}

func rgb(t *testing.T, hex string) (c [3]float64) {
	t.Helper()
	for i := range c {
		n, err := strconv.ParseUint(hex[2*i:2*i+2], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		c[i] = float64(n) / 255
	}
	return c
}

// luminance and contrast are WCAG 2.2's.
func luminance(c [3]float64) float64 {
	for i, v := range c {
		if v <= 0.04045 {
			c[i] = v / 12.92
		} else {
			c[i] = math.Pow((v+0.055)/1.055, 2.4)
		}
	}
	return 0.2126*c[0] + 0.7152*c[1] + 0.0722*c[2]
}

func contrast(a, b [3]float64) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func TestContrastOfBlackOnWhiteIsTwentyOne(t *testing.T) {
	if got := contrast(rgb(t, "000000"), rgb(t, "ffffff")); math.Abs(got-21) > 0.001 {
		t.Errorf("black on white is %.3f", got)
	}
	if got := contrast(rgb(t, "777777"), rgb(t, "ffffff")); math.Abs(got-4.478) > 0.001 {
		t.Errorf("#777 on white is %.3f", got)
	}
}

func TestEveryInkCanBeReadOnItsGround(t *testing.T) {
	const text, drawing = 4.5, 3.0
	type pair struct {
		ink, ground string
		least       float64
	}
	pairs := []pair{
		{"accent-ink", "accent", text}, {"accent-ink", "accent-hover", text}, {"accent-text", "surface", text}, {"accent-text", "chosen", text},
		{"mine-ink", "mine", text}, {"theirs-ink", "theirs", text}, {"machine-ink", "machine", text}, {"note-ink", "note", text},
		{"danger-ink", "danger", text}, {"surface", "ink", text}, {"waiting-ink", "surface", text}, {"waiting-ink", "chosen", text}, {"waiting-ink", "hover", text},
		{"note-line", "note", drawing}, {"note-line", "sunken", drawing}, {"line-strong", "surface", drawing}, {"danger-line", "surface", drawing},
		{"focus", "surface", drawing}, {"focus", "ground", drawing}, {"focus", "sunken", drawing}, {"focus", "note", drawing}, {"focus", "chosen", drawing},
	}
	for _, ground := range []string{"ground", "surface", "raised", "sunken", "hover", "chosen"} {
		pairs = append(pairs, pair{"ink", ground, text}, pair{"ink-soft", ground, text})
	}
	for _, state := range append(lists(), "closed") {
		pairs = append(pairs, pair{state + "-ink", state + "-tint", text})
		if state != "closed" {
			pairs = append(pairs, pair{state + "-glyph", state + "-tile", drawing})
		}
	}
	for i := range 8 {
		hue := "hue-" + strconv.Itoa(i)
		pairs = append(pairs, pair{hue + "-ink", hue, text})
	}
	for _, dark := range []bool{false, true} {
		colours := palette(t, dark)
		for _, p := range pairs {
			ink, ok := colours[p.ink]
			ground, too := colours[p.ground]
			if !ok || !too {
				t.Errorf("dark %t: there is no %s or no %s", dark, p.ink, p.ground)
				continue
			}
			if got := contrast(ink, ground); got < p.least {
				t.Errorf("dark %t: %s on %s is %.2f, want %.1f", dark, p.ink, p.ground, got, p.least)
			}
		}
	}
}
