package webapp

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/quicksightembed/embedtest"
)

// Both models of AWS, and what users are called in QuickSight in each.
var identities = map[string]struct{ jane, mateo string }{
	"registered": {users + "jane", users + "mateo"},
	"role":       {users + "embed-console/jane", users + "embed-console/mateo"},
}

// issued are the requests that QuickSight has issued URLs for.
func issued(quickSight *embedtest.Server) (requests []embedtest.Request) {
	for _, request := range quickSight.Requests() {
		if request.Operation == "GetSessionEmbedUrl" && request.Code == "" {
			requests = append(requests, request)
		}
	}
	return requests
}

func TestUserSignsInAndSeesTheConsole(t *testing.T) {
	for model, called := range identities {
		t.Run(model, func(t *testing.T) {
			quickSight := newQuickSight(t)
			backend := startBackend(t, quickSight, "-identity", model)
			browser := newTab(t, quickSight.Certificate())
			browser.signIn(backend.url, "jane", password)
			browser.waitForState("ready")
			shown := browser.console(quickSight.URL, `/Time left\n9h 59m \d+s/.test(document.body.innerText)`) // it counts down
			assert.Contains(t, shown, "Entry point\n/start\n")
			assert.Contains(t, shown, called.jane)
			assert.Equal(t, "Start is open.", browser.sees("[role=status]"))
			assert.Equal(t, "3", browser.evaluate("document.querySelectorAll('#steps [data-done]').length"), "mounted, loaded and ready")
			assert.Equal(t, "QuickSight console: Start", browser.evaluate("document.querySelector('#frame iframe').title"))
			require.Len(t, issued(quickSight), 1)
			assert.Equal(t, called.jane, issued(quickSight)[0].UserArn)
			browser.assertNoProblems()
		})
	}
}

func TestUserMovesBetweenPlaces(t *testing.T) {
	quickSight := newQuickSight(t)
	backend := startBackend(t, quickSight, "-identity", "role")
	browser := newTab(t, quickSight.Certificate())
	browser.signIn(backend.url, "jane", password)
	browser.waitForState("ready")
	places := []struct{ key, name, entryPoint, title string }{
		{"analyses", "Analyses", "/start/analyses", "Analyses"},
		{"dashboards", "Dashboards", "/start/dashboards", "Dashboards"},
		{"favorites", "Favorites", "/start/favorites", "Favorites"},
		{"dashboard", "Sales overview", "/dashboards/sales-overview", "Dashboard sales-overview"},
		{"start", "Start", "/start", "Start"},
		{"start", "Start", "/start", "Start"}, // once more
	}
	for i, place := range places {
		browser.choose(place.key)
		shown := browser.console(quickSight.URL, titled(place.title))
		browser.waitForState("ready")
		assert.Contains(t, shown, "Entry point\n"+place.entryPoint+"\n")
		assert.Equal(t, place.name+" is open.", browser.sees("[role=status]"))
		assert.Equal(t, place.name, browser.sees("h1"))
		assert.Equal(t, place.name, browser.sees("nav [aria-current=page]"))
		assert.Equal(t, "1", browser.evaluate("document.querySelectorAll('#frame iframe').length"))
		require.Len(t, issued(quickSight), i+2, "each has a fresh URL")
		assert.Equal(t, place.entryPoint, *issued(quickSight)[i+1].Input.EntryPoint)
	}
	assert.Len(t, quickSight.Requests(), len(places)+2, "STS was asked once")

	browser.run(chromedp.NavigateBack())
	browser.console(quickSight.URL, titled("Dashboard sales-overview"))
	browser.assertNoProblems()
}

func TestReloadedPageShowsTheSamePlace(t *testing.T) {
	quickSight := newQuickSight(t)
	backend := startBackend(t, quickSight)
	browser := newTab(t, quickSight.Certificate())
	browser.signIn(backend.url, "jane", password)
	browser.choose("favorites")
	browser.console(quickSight.URL, titled("Favorites"))
	browser.waitForState("ready")
	before := len(issued(quickSight))
	browser.run(chromedp.Reload())
	browser.waitForState("ready")
	browser.console(quickSight.URL, titled("Favorites"))
	assert.Equal(t, "Favorites", browser.sees("h1"))
	assert.Len(t, issued(quickSight), before+1, "with a fresh URL")
	browser.assertNoProblems()
}

func TestURLThatIsUsedTwice(t *testing.T) {
	quickSight := newQuickSight(t)
	backend := startBackend(t, quickSight)
	browser := newTab(t, quickSight.Certificate())
	browser.signIn(backend.url, "jane", password)
	browser.waitForState("ready")
	_, err := evaluate(browser.frame(quickSight.URL, titled("Start")), "location.reload()") // the frame alone
	require.NoError(t, err)
	browser.waitForState("problem")
	assert.Equal(t, "This link to the console was used or has expired", browser.sees("#problem h2"))
	assert.Contains(t, browser.sees("#problem-action"), "Open the console again to get a fresh one.")
	assert.Equal(t, "0", browser.evaluate("document.querySelectorAll('#frame iframe').length"))
	browser.screenshot("used")

	browser.run(chromedp.Click(chromedp.CSS("#open-again")))
	browser.waitForState("ready")
	browser.console(quickSight.URL, titled("Start"))
	assert.Len(t, issued(quickSight), 2)
}

func TestSessionThatEnds(t *testing.T) {
	quickSight := newQuickSight(t)
	backend := startBackend(t, quickSight, "-lifetime", "15")
	browser := newTab(t, quickSight.Certificate())
	browser.signIn(backend.url, "jane", password)
	browser.waitForState("ready")
	browser.console(quickSight.URL, `/Time left\n14m \d+s/.test(document.body.innerText)`)
	browser.assertNoProblems()

	quickSight.Advance(10 * time.Minute)
	browser.console(quickSight.URL, `/Time left\n4m \d+s/.test(document.body.innerText)`)
	assert.Equal(t, "Start is open.", browser.sees("[role=status]"))
	quickSight.Advance(5 * time.Minute)
	browser.waitForState("problem")
	assert.Equal(t, "Your console session has ended", browser.sees("#problem h2"))
	assert.Equal(t, "1", browser.evaluate("[...document.querySelectorAll('#problem button')].filter(b => b.checkVisibility()).length"), "one button")
	browser.screenshot("session-ended")

	browser.run(chromedp.Click(chromedp.CSS("#open-again")))
	browser.waitForState("ready")
	browser.console(quickSight.URL, titled("Start"))
}

func TestTwoUsersAtOnceSeeTheirOwnSessions(t *testing.T) {
	for model, called := range identities {
		t.Run(model, func(t *testing.T) {
			quickSight := newQuickSight(t)
			backend := startBackend(t, quickSight, "-identity", model)
			janes, mateos := newTab(t, quickSight.Certificate()), newTab(t, quickSight.Certificate())
			janes.signIn(backend.url, "jane", password)
			mateos.signIn(backend.url, "mateo", password)
			for _, place := range []struct{ key, title string }{{"dashboards", "Dashboards"}, {"dashboard", "Dashboard sales-overview"}, {"start", "Start"}} {
				janes.choose(place.key)
				mateos.choose(place.key)
				janesConsole, mateosConsole := janes.console(quickSight.URL, titled(place.title)), mateos.console(quickSight.URL, titled(place.title))
				assert.Contains(t, janesConsole, called.jane+"\n")
				assert.NotContains(t, janesConsole, "mateo")
				assert.Contains(t, mateosConsole, called.mateo+"\n")
				assert.NotContains(t, mateosConsole, "jane")
			}
			assert.Equal(t, "jane", janes.sees("#user"))
			assert.Equal(t, "mateo", mateos.sees("#user"))
			keys := map[string]bool{}
			for _, request := range issued(quickSight) {
				keys[request.AccessKeyId] = true
			}
			assert.Len(t, keys, map[string]int{"registered": 1, "role": 2}[model], "who signed")
			janes.assertNoProblems()
			mateos.assertNoProblems()
		})
	}
}

func TestEmbedURLStaysASecret(t *testing.T) {
	quickSight := newQuickSight(t)
	backend := startBackend(t, quickSight, "-identity", "role")
	browser := newTab(t, quickSight.Certificate())
	browser.signIn(backend.url, "jane", password)
	for _, place := range []struct{ key, title string }{{"dashboards", "Dashboards"}, {"start", "Start"}} {
		browser.choose(place.key)
		browser.console(quickSight.URL, titled(place.title))
		browser.waitForState("ready")
	}
	browser.run(chromedp.Reload())
	browser.waitForState("ready")
	browser.console(quickSight.URL, titled("Start"))
	asksForItsTime := func() bool {
		_, replies := browser.traffic()
		return slices.ContainsFunc(replies, func(reply *network.Response) bool {
			return strings.HasPrefix(reply.URL, quickSight.URL) && strings.HasSuffix(reply.URL, "/start")
		})
	}
	require.Eventually(t, asksForItsTime, patience, 50*time.Millisecond, "a request from within the console, whose address has the code")

	assert.Contains(t, backend.log.String(), "embed URL issued")
	for _, secret := range []string{"code=", "/embedding/", "ASIA", "session=", "Signature"} {
		assert.NotContains(t, backend.log.String(), secret)
	}
	requests, replies := browser.traffic()
	assert.NotEmpty(t, requests)
	for _, request := range requests {
		for name := range request.Headers {
			assert.False(t, strings.EqualFold(name, "Referer"), "%v", request.Headers)
		}
	}
	documents := 0
	for _, reply := range replies {
		cacheControl := fmt.Sprint(reply.Headers["Cache-Control"])
		assert.Equal(t, "no-store", cacheControl, reply.URL)
		assert.False(t, reply.FromDiskCache, reply.URL)
		if reply.MimeType == "text/html" && strings.HasPrefix(reply.URL, backend.url) {
			documents++
			assert.NotContains(t, reply.URL, "embedding")
		}
	}
	assert.NotZero(t, documents)
	browser.evaluate(`fetch("/").then(r => r.text()).then(html => window.html = html)`)
	browser.waitFor(`!!window.html`)
	assert.NotContains(t, browser.evaluate("window.html"), "/embedding/", "the page as it is served")
	assert.Equal(t, "0", browser.evaluate("localStorage.length + sessionStorage.length"))
	assert.NotContains(t, browser.evaluate("location.href + document.title + document.body.innerText"), "code=")
	assert.Equal(t, "", browser.evaluate("document.cookie"), "scripts cannot read the session")
}
