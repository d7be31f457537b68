package console_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// screens is the environment variable that names a folder for screenshots; without it none are kept.
const screens = "TURNO_SCREENS"

// window is Debian's Chromium with one person before it.
type window struct {
	t   *testing.T
	ctx context.Context
}

// newWindow opens a browser of its own, which ends with the test, and fails the test when a page breaks its own
// Content-Security-Policy or a script throws.
func newWindow(t *testing.T, width, height int64, dark bool) *window {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		t.Skip("no chromium is installed: apt-get install chromium")
	}
	t.Parallel() // most of it is waiting
	profile, err := os.MkdirTemp("", "turno-console-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(profile) }) // a part of the browser may still be writing its last
	alloc, cancel := chromedp.NewExecAllocator(context.Background(),
		chromedp.ExecPath(path), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck,
		chromedp.UserDataDir(profile), chromedp.WindowSize(int(width), int(height)), chromedp.Flag("disable-quic", true), chromedp.Flag("hide-scrollbars", true),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("lang", "es"), chromedp.Flag("accept-lang", "es"),
	)
	t.Cleanup(cancel)
	browser, end := chromedp.NewContext(alloc, chromedp.WithErrorf(func(string, ...any) {})) // of events that are newer than it
	t.Cleanup(end)                                                                           // kills it, and waits
	ctx, stop := context.WithTimeout(browser, 90*time.Second)
	t.Cleanup(stop)
	chromedp.ListenTarget(ctx, func(event any) {
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			t.Errorf("a script threw: %s", e.ExceptionDetails.Error())
		case *log.EventEntryAdded:
			if strings.Contains(e.Entry.Text, "Content Security Policy") {
				t.Errorf("the page breaks its policy: %s", e.Entry.Text)
			}
		}
	})
	if err := chromedp.Run(ctx); err != nil { // the browser lives as long as the context of the first run
		t.Fatalf("start %s: %v", path, err)
	}
	theme := "light"
	if dark {
		theme = "dark"
	}
	w := &window{t, ctx}
	w.do("open the browser", log.Enable(), runtime.Enable(), network.Enable(),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}}),
		emulation.SetTimezoneOverride("America/Montevideo"), chromedp.EmulateViewport(width, height))
	return w
}

// do runs steps, and says what failed.
func (w *window) do(what string, steps ...chromedp.Action) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, 20*time.Second)
	defer cancel()
	if err := chromedp.Run(ctx, steps...); err != nil {
		w.keep("failed")
		w.t.Fatalf("%s: %v", what, err)
	}
}

// sees waits until the part of the page that the selector names shows the text.
func (w *window) sees(selector, text string) {
	w.t.Helper()
	w.do(fmt.Sprintf("see %q in %s", text, selector),
		chromedp.Poll(fmt.Sprintf(`[...document.querySelectorAll(%q)].some((n) => n.innerText.includes(%q))`, selector, text), nil))
}

// lacks waits until it doesn't any more.
func (w *window) lacks(selector, text string) {
	w.t.Helper()
	w.do(fmt.Sprintf("no longer see %q in %s", text, selector),
		chromedp.Poll(fmt.Sprintf(`![...document.querySelectorAll(%q)].some((n) => n.innerText.includes(%q))`, selector, text), nil))
}

// gone waits until nothing is there that the selector names.
func (w *window) gone(selector string) {
	w.t.Helper()
	w.do(selector+" gone", chromedp.Poll(fmt.Sprintf(`!document.querySelector(%q)`, selector), nil))
}

// focused waits until what the selector names has the focus.
func (w *window) focused(selector string) {
	w.t.Helper()
	w.do("focus on "+selector, chromedp.Poll(fmt.Sprintf(`document.activeElement.matches(%q)`, selector), nil))
}

// tabTo presses the Tab key, with Shift backwards, until what the selector names has the focus.
func (w *window) tabTo(selector string, backwards bool) {
	w.t.Helper()
	var with input.Modifier
	if backwards {
		with = input.ModifierShift
	}
	for range 40 {
		var there bool
		w.do("tab to "+selector, chromedp.KeyEvent(kb.Tab, chromedp.KeyModifiers(with)), chromedp.Evaluate(fmt.Sprintf(`document.activeElement.matches(%q)`, selector), &there))
		if there {
			return
		}
	}
	w.keep("failed")
	w.t.Fatalf("the keyboard does not reach %s", selector)
}

// signIn signs somebody in.
func (w *window) signIn(d *desk, who string) {
	w.t.Helper()
	w.do("sign in as "+who, chromedp.Navigate(d.url), chromedp.WaitVisible("#token"), chromedp.SendKeys("#token", d.tokens[who]),
		chromedp.Submit("#token"), chromedp.WaitVisible("#rail"))
}

// unhurried keeps notices until they are dismissed, however busy the machine.
func (w *window) unhurried() {
	w.t.Helper()
	w.do("keep notices", chromedp.Evaluate(`document.querySelector("#notices").dataset.stays = "600000"`, nil))
}

// keep makes a screenshot, where they are wanted.
func (w *window) keep(name string) {
	dir := os.Getenv(screens)
	if dir == "" {
		return
	}
	var png []byte
	ctx, cancel := context.WithTimeout(w.ctx, 10*time.Second)
	defer cancel()
	if err := chromedp.Run(ctx, chromedp.CaptureScreenshot(&png)); err != nil {
		w.t.Logf("no screenshot %s: %v", name, err)
		return
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644); err != nil {
		w.t.Fatal(err)
	}
}

func TestAnOperatorSeesAConversationComeTakesAnswersAndClosesIt(t *testing.T) {
	w := newWindow(t, 1280, 800, false)
	d := newDesk(t)
	w.signIn(d, "ana")
	w.sees("#list", "Nadie espera.")
	w.keep("nobody-waits")

	id := d.customer("Carla", "Mi impresora se prende fuego")
	w.sees("#list", "Mi impresora se prende fuego") // pushed
	w.sees(".state.waiting .count", "1")

	w.do("open it", chromedp.Click(`#list a.item`), chromedp.WaitVisible(`#pane[data-open]`))
	w.sees(".thread", "Mi impresora se prende fuego")
	w.do("take it", chromedp.Click(`[data-act-name=take]`))
	w.sees(".chip", "En atención")
	w.sees(".state.attending .count", "1")
	w.sees(".thread", "Ana Prado la tomó")

	w.do("answer it", chromedp.SendKeys("#text", "Aléjese de ella, por favor.\r"))
	w.sees(".said.out", "Aléjese de ella, por favor.")
	var left string
	w.do("look at the composer", chromedp.Value("#text", &left))
	if left != "" {
		t.Errorf("what was sent is still in the composer: %q", left)
	}

	d.customer("Carla", "Ya está apagada. ¡Gracias!")
	w.sees(".said.in", "Ya está apagada") // pushed too
	w.do("write a note", chromedp.Click(".as-note"), chromedp.SendKeys("#text", "Pedir otra impresora.\r"))
	w.sees(".said.note", "Pedir otra impresora.")
	w.keep("attending")

	w.do("close it", chromedp.Click(`.toolbar [popovertarget=sheet-close]`), chromedp.WaitVisible("#close-summary"))
	w.keep("closing")
	w.do("say why", chromedp.SendKeys("#close-category", "Avería"), chromedp.SendKeys("#close-summary", "Fuego apagado"),
		chromedp.Click(`[data-act-name=close]`))
	w.sees(".chip", "Finalizada")
	w.sees(".state.attending .count", "0")
	w.sees(".thread", "Fuego apagado")
	w.keep("closed")

	got := d.api("GET", "/v1/conversations/"+id, "")
	if state, category := got.text("state"), got.text("category"); state != "closed" || category != "averia" {
		t.Errorf("the conversation is %s with category %q", state, category)
	}
}

func TestAPageThatWasCutOffCatchesUpAndLosesNoDraft(t *testing.T) {
	w := newWindow(t, 1280, 800, true)
	d := newDesk(t)
	id := d.customer("Carla", "Hola")
	d.operator("ana", id, "take", `{}`)
	w.signIn(d, "ana")
	w.do("open it", chromedp.Click(".state.attending"), chromedp.WaitVisible("#list a.item"), chromedp.Click("#list a.item"), chromedp.WaitVisible("#text"),
		chromedp.SendKeys("#text", "un borrador"))
	d.cut()
	w.do("be told", chromedp.WaitVisible("#banner"))
	d.customer("Carla", "¿Sigue ahí?")
	w.sees(".said.in", "¿Sigue ahí?")
	w.do("be whole again", chromedp.WaitNotVisible("#banner"))
	var n int
	var draft string
	w.do("count", chromedp.Evaluate(`[...document.querySelectorAll(".said.in")].filter((m) => m.innerText.includes("¿Sigue ahí?")).length`, &n),
		chromedp.Reload(), chromedp.WaitVisible("#text"), chromedp.Value("#text", &draft))
	if n != 1 {
		t.Errorf("the message is there %d times", n)
	}
	if draft != "un borrador" {
		t.Errorf("after a reload the composer holds %q", draft)
	}
}

func TestWhoLosesTheRaceIsToldByWhom(t *testing.T) {
	w := newWindow(t, 390, 844, false)
	w.do("hear no pushes", chromedp.ActionFunc(func(ctx context.Context) error {
		_, err := page.AddScriptToEvaluateOnNewDocument(`window.EventSource = class { addEventListener() {} close() {} };`).Do(ctx)
		return err
	}))
	d := newDesk(t)
	id := d.customer("Carla", "Hola")
	w.signIn(d, "beto")
	w.do("open it", chromedp.Click("#list a.item"), chromedp.WaitVisible("[data-act-name=take]"))
	d.operator("ana", id, "take", `{}`)
	w.do("take it too late", chromedp.Click("[data-act-name=take]"))
	w.sees("#pane", "Ana Prado está atendiendo esta conversación.")
	w.lacks("#list", "Carla")
	w.keep("too-late")
}
