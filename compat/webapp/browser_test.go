package webapp

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// patience is how long a test waits for something to be seen.
const patience = 30 * time.Second

// tab is a browser of its own with one tab.
type tab struct {
	t   *testing.T
	ctx context.Context

	mu       sync.Mutex
	problems []string // what the browser's console has as errors and warnings, in the page and its frames
	requests []*network.EventRequestWillBeSentExtraInfo
	replies  []*network.Response
	attached map[target.ID]context.Context
}

// newTab opens a browser that knows nothing and trusts the certificates, and no others.
func newTab(t *testing.T, trusted ...*x509.Certificate) *tab {
	t.Helper()
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		missing(t, "no chromium: apt-get install chromium")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium),
		chromedp.UserDataDir(t.TempDir()),
		chromedp.WindowSize(1280, 800),
		chromedp.Flag("site-per-process", true), // frames of other sites in processes of their own, as people's browsers have them
		chromedp.Flag("disable-features", "Translate"),
	)
	var pins []string
	for _, certificate := range trusted {
		pin := sha256.Sum256(certificate.RawSubjectPublicKeyInfo)
		pins = append(pins, base64.StdEncoding.EncodeToString(pin[:]))
	}
	if len(pins) > 0 {
		options = append(options, chromedp.Flag("ignore-certificate-errors-spki-list", strings.Join(pins, ",")))
	}
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox) // root has none
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	ctx, cancelBrowser := chromedp.NewExecAllocator(ctx, options...)
	b := &tab{t: t, attached: map[target.ID]context.Context{}}
	ctx, cancelTab := chromedp.NewContext(ctx, chromedp.WithListener(b.hear))
	t.Cleanup(func() {
		chromedp.Cancel(ctx)
		cancelTab()
		cancelBrowser()
		cancel()
	})
	b.ctx = ctx
	require.NoError(t, chromedp.Do(ctx))
	return b
}

// hear keeps what happens in the tab, or in one of its frames.
func (b *tab) hear(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch event := event.(type) {
	case *log.EventEntryAdded:
		if event.Entry.Level == log.EntryLevelError || event.Entry.Level == log.EntryLevelWarning {
			b.problems = append(b.problems, fmt.Sprintf("%s: %s (%s)", event.Entry.Level, event.Entry.Text, event.Entry.URL))
		}
	case *runtime.EventExceptionThrown:
		b.problems = append(b.problems, "exception: "+event.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		if event.Type == "error" || event.Type == "warning" {
			for _, argument := range event.Args {
				b.problems = append(b.problems, fmt.Sprintf("console.%s: %s", event.Type, argument.Value))
			}
		}
	case *network.EventRequestWillBeSentExtraInfo:
		b.requests = append(b.requests, event)
	case *network.EventResponseReceived:
		b.replies = append(b.replies, event.Response)
	}
}

func (b *tab) run(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		b.t.Fatalf("%v; the page shows:\n%s", err, b.evaluate("document.body.innerText"))
	}
}

// evaluate returns what an expression is in the page.
func (b *tab) evaluate(expression string) string {
	b.t.Helper()
	value, err := evaluate(b.ctx, expression)
	require.NoError(b.t, err)
	return value
}

// evaluate returns what an expression is in the page or frame of a context. One that is being left
// may never answer.
func evaluate(ctx context.Context, expression string) (value string, err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[string]("String("+expression+")"))
}

// waitFor waits until an expression is true in the page, whichever document that is by then.
func (b *tab) waitFor(expression string) {
	b.t.Helper()
	isTrue := func() bool {
		value, err := evaluate(b.ctx, expression)
		return err == nil && value == "true"
	}
	if !assert.Eventually(b.t, isTrue, patience, 50*time.Millisecond, expression) {
		b.t.Fatalf("the page shows:\n%s", b.evaluate("document.body.innerText"))
	}
}

// waitForState waits until the page is in a state, such as ready or problem.
func (b *tab) waitForState(state string) {
	b.t.Helper()
	b.waitFor(fmt.Sprintf("document.body.dataset.state === %q", state))
}

// sees returns the text of what a selector finds, as a person sees it.
func (b *tab) sees(selector string) string {
	b.t.Helper()
	return b.evaluate(fmt.Sprintf("document.querySelector(%q).innerText", selector))
}

// signIn signs a user in, from the page that asks for it.
func (b *tab) signIn(url, user, password string) {
	b.t.Helper()
	b.run(
		chromedp.Navigate(url),
		chromedp.WaitVisible(chromedp.CSS("#user")),
		chromedp.SendKeys(chromedp.CSS("#user"), user),
		chromedp.SendKeys(chromedp.CSS("#password"), password+"\r"),
	)
	b.waitFor(`location.pathname === "/" && document.readyState === "complete"`)
}

// choose opens a place of the menu, and waits until the one before has gone.
func (b *tab) choose(place string) {
	b.t.Helper()
	b.evaluate("document.querySelector('#frame iframe')?.classList.add('before')")
	b.run(chromedp.Click(chromedp.CSS(fmt.Sprintf("nav a[data-place=%q]", place))))
	b.waitFor("!document.querySelector('#frame iframe.before')")
}

// console waits until the page shows a console of which an expression is true, and returns what it
// shows.
func (b *tab) console(url, expression string) (shows string) {
	b.t.Helper()
	ctx := b.frame(url, expression)
	b.waitForState("ready")
	shows, err := evaluate(ctx, "document.body.innerText")
	require.NoError(b.t, err)
	return shows
}

// frame attaches to the console's frame, which has a process of its own, when an expression is
// true in it.
func (b *tab) frame(url, expression string) (found context.Context) {
	b.t.Helper()
	isThere := func() bool {
		targets, err := chromedp.Targets(b.ctx)
		if err != nil {
			return false
		}
		for _, candidate := range targets {
			if candidate.Type != "iframe" || !strings.HasPrefix(candidate.URL, url+"/embedding/") {
				continue
			}
			ctx, err := b.attach(candidate.TargetID)
			if err != nil {
				continue // it went before it could be looked at
			}
			value, err := evaluate(ctx, expression)
			if err != nil {
				delete(b.attached, candidate.TargetID) // it goes; where it does not, it is attached to anew
			}
			if value == "true" {
				found = ctx
				return true
			}
		}
		return false
	}
	if !assert.Eventually(b.t, isThere, patience, 50*time.Millisecond, expression) {
		b.t.Fatalf("the page shows:\n%s", b.evaluate("document.body.innerText"))
	}
	return found
}

func (b *tab) attach(id target.ID) (context.Context, error) {
	if b.attached[id] != nil {
		return b.attached[id], nil
	}
	ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithTargetID(id), chromedp.WithDetachOnCancel(), chromedp.WithListener(b.hear))
	b.t.Cleanup(cancel)
	giveUp := time.AfterFunc(5*time.Second, cancel) // on a frame that goes at this moment, which may never answer
	defer giveUp.Stop()
	if err := chromedp.Do(ctx); err != nil {
		return nil, err
	}
	b.attached[id] = ctx
	return ctx, nil
}

// titled is an expression for a console's title.
func titled(title string) string {
	return fmt.Sprintf("document.querySelector('h2')?.textContent === %q", title)
}

// assertNoProblems checks that the browser's console has nothing to complain about.
func (b *tab) assertNoProblems() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	assert.Empty(b.t, b.problems)
}

// traffic returns what the tab and its frames have asked for, and the replies.
func (b *tab) traffic() ([]*network.EventRequestWillBeSentExtraInfo, []*network.Response) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.requests), slices.Clone(b.replies)
}

// screenshot keeps what is seen, as the output of the test.
func (b *tab) screenshot(name string) {
	b.t.Helper()
	dir := os.Getenv("WEBAPP_SCREENSHOTS")
	if dir == "" {
		return
	}
	image, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	require.NoError(b.t, err)
	require.NoError(b.t, os.MkdirAll(dir, 0o755))
	require.NoError(b.t, os.WriteFile(filepath.Join(dir, name+".png"), image, 0o644))
}

// prefer sets the color scheme that the person prefers: light or dark.
func (b *tab) prefer(scheme string) {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
	require.NoError(b.t, err)
}

// acceptCertificateOf opens a URL, and goes on where Chromium warns of its certificate: by the
// word that it takes for consent.
func (b *tab) acceptCertificateOf(url string) {
	b.t.Helper()
	chromedp.Do(b.ctx, chromedp.Navigate(url)) // which fails
	b.waitFor(`document.documentElement.innerText.includes("ERR_CERT_AUTHORITY_INVALID")`)
	b.run(chromedp.KeyEvent("thisisunsafe"))
	b.waitFor(`document.readyState === "complete" && document.title === "QuickSight (embedtest)"`)
}

// onNewDocument runs a script before those of each page that is opened from now on.
func (b *tab) onNewDocument(script string) {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
	require.NoError(b.t, err)
}
