package webapp

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
)

// focused is an expression for what has the focus.
const focused = `(document.activeElement.id || document.activeElement.textContent)`

func TestEverythingWorksByKeyboard(t *testing.T) {
	quickSight := newQuickSight(t)
	backend := startBackend(t, quickSight)
	browser := newTab(t, quickSight.Certificate())
	press := func(keys ...string) {
		for _, key := range keys {
			browser.run(chromedp.KeyEvent(key))
		}
	}
	browser.run(chromedp.Navigate(backend.url))
	browser.waitFor(focused + ` === "user"`)
	press("jane", kb.Tab, password, kb.Enter)
	browser.waitForState("ready")

	press(kb.Tab)
	assert.Equal(t, "Skip to the console", browser.evaluate(focused))
	press(kb.Enter)
	browser.waitFor(focused + ` === "console"`)
	assert.Equal(t, "Start is open.", browser.sees("[role=status]"), "skipping opens nothing anew")

	browser.run(chromedp.Focus(chromedp.CSS(".skip")))
	for _, want := range []string{"Start", "Analyses", "Dashboards"} {
		press(kb.Tab)
		assert.Equal(t, want, browser.evaluate(focused))
		assert.Equal(t, "true", browser.evaluate(`document.activeElement.matches(":focus-visible") && getComputedStyle(document.activeElement).outlineStyle === "solid"`), "the focus is seen")
	}
	press(kb.Enter)
	browser.console(quickSight.URL, titled("Dashboards"))
	browser.waitForState("ready")
	press(kb.Tab, kb.Tab, kb.Tab)
	assert.Equal(t, "sign-out", browser.evaluate(focused))
	browser.assertNoProblems()

	quickSight.Advance(11 * 60 * 60 * 1e9)
	browser.waitForState("problem")
	press(kb.Tab)
	browser.waitFor(`document.activeElement !== document.body`)
	assert.Equal(t, "open-again", browser.evaluate(focused), "after the menu comes the button")
	press(kb.Enter)
	browser.waitForState("ready")

	browser.run(chromedp.Focus(chromedp.CSS("#sign-out")))
	press(" ")
	browser.waitFor(`location.pathname === "/sign-in"`)
}

func TestUserSignsOut(t *testing.T) {
	quickSight := newQuickSight(t)
	backend := startBackend(t, quickSight, "-identity", "role")
	browser := newTab(t, quickSight.Certificate())
	browser.signIn(backend.url, "jane", password)
	browser.waitForState("ready")
	browser.run(chromedp.Click(chromedp.CSS("#sign-out")))
	browser.waitFor(`location.pathname === "/sign-in" && document.readyState === "complete"`)
	browser.run(chromedp.Navigate(backend.url + "/#dashboards"))
	browser.waitFor(`location.pathname === "/sign-in"`)

	before := len(quickSight.Requests())
	browser.signIn(backend.url, "jane", password)
	browser.waitForState("ready")
	assert.Equal(t, "AssumeRole", quickSight.Requests()[before].Operation, "the credentials went with the session")
	browser.assertNoProblems()
}

func TestPageOfSomeoneWhoSignedOutElsewhere(t *testing.T) {
	quickSight := newQuickSight(t)
	backend := startBackend(t, quickSight)
	browser := newTab(t, quickSight.Certificate())
	browser.signIn(backend.url, "jane", password)
	browser.waitForState("ready")
	browser.evaluate(`fetch("/api/sign-out", {method: "POST", headers: {"Content-Type": "application/json"}}).then(() => window.isOut = true)`)
	browser.waitFor("window.isOut")
	browser.choose("dashboards")
	browser.waitFor(`location.pathname === "/sign-in" && location.hash === "#dashboards"`)
	browser.run(chromedp.SendKeys(chromedp.CSS("#user"), "jane"), chromedp.SendKeys(chromedp.CSS("#password"), password+"\r"))
	browser.console(quickSight.URL, titled("Dashboards"))
}

func TestWrongPassword(t *testing.T) {
	quickSight := newQuickSight(t)
	backend := startBackend(t, quickSight)
	browser := newTab(t, quickSight.Certificate())
	browser.run(
		chromedp.Navigate(backend.url),
		chromedp.WaitVisible(chromedp.CSS("#user")),
		chromedp.SendKeys(chromedp.CSS("#user"), "jane"),
		chromedp.SendKeys(chromedp.CSS("#password"), "guessed\r"),
	)
	browser.waitFor(`!!document.querySelector("[role=alert]").innerText`)
	assert.Equal(t, "The user name or password is not right. Check both and try again.", browser.sees("[role=alert]"))
	assert.NotContains(t, browser.sees("main"), "demo", "that is the demo's")
	browser.screenshot("sign-in-problem")
}

// overflow is an expression for whether the page is wider than the window.
const overflow = "document.documentElement.scrollWidth > innerWidth"

func TestLayouts(t *testing.T) {
	for name, screen := range map[string]struct{ width, height int64 }{
		"desktop": {1280, 800}, "phone": {390, 844}, "small-phone": {320, 568}, "tablet": {820, 1180},
	} {
		t.Run(name, func(t *testing.T) {
			quickSight := newQuickSight(t)
			backend := startBackend(t, quickSight)
			browser := newTab(t, quickSight.Certificate())
			browser.run(chromedp.EmulateViewport(screen.width, screen.height), chromedp.Navigate(backend.url), chromedp.WaitVisible(chromedp.CSS("#user")))
			assert.Equal(t, "false", browser.evaluate(overflow))
			browser.screenshot(name + "-sign-in")
			browser.signIn(backend.url, "jane", password)
			browser.choose("dashboard")
			browser.console(quickSight.URL, titled("Dashboard sales-overview")+` && /9h 59m/.test(document.body.innerText)`)
			browser.waitForState("ready")
			assert.Equal(t, "false", browser.evaluate(overflow))
			assert.Equal(t, "true", browser.evaluate(`(({width, height, bottom}) => width >= 290 && height >= 300 && bottom <= innerHeight)(document.querySelector("#frame iframe").getBoundingClientRect())`), "the frame fills the window")
			assert.Equal(t, "true", browser.evaluate(`[...document.querySelectorAll("button, nav a")].every((e) => !e.checkVisibility() || e.getBoundingClientRect().height < 50)`), "each on one line")
			assert.Equal(t, "true", browser.evaluate(`(([a, b]) => a.right <= b.left || a.bottom <= b.top)([".brand", ".account"].map((s) => { const range = document.createRange(); range.selectNodeContents(document.querySelector(s)); return range.getBoundingClientRect(); }))`), "nothing covers the brand")
			browser.screenshot(name)
		})
	}
}

// tooFaint is a script that lists text whose contrast with its ground is below what WCAG AA asks
// for.
const tooFaint = `(() => {
	const rgb = (color) => color.match(/[\d.]+/g).map(Number);
	const luminance = ([r, g, b]) => [r, g, b].map((c) => c / 255).map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
		.reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
	const groundOf = (element) => {
		for (; element; element = element.parentElement) {
			const color = rgb(getComputedStyle(element).backgroundColor);
			if (color.length === 3 || color[3] === 1) return color;
		}
		return [255, 255, 255];
	};
	return [...document.querySelectorAll("body *")].filter((e) => e.checkVisibility() && [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim())).map((e) => {
		const [a, b] = [luminance(rgb(getComputedStyle(e).color)), luminance(groundOf(e))].sort((x, y) => y - x);
		return [e.textContent.trim(), (a + 0.05) / (b + 0.05)];
	}).filter(([, contrast]) => contrast < 4.5).map(String).join("; ");
})()`

func TestContrast(t *testing.T) {
	for _, scheme := range []string{"light", "dark"} {
		t.Run(scheme, func(t *testing.T) {
			quickSight := newQuickSight(t)
			backend := startBackend(t, quickSight)
			browser := newTab(t, quickSight.Certificate())
			browser.prefer(scheme)
			browser.run(chromedp.Navigate(backend.url), chromedp.WaitVisible(chromedp.CSS("#user")))
			assert.Empty(t, browser.evaluate(tooFaint))
			browser.signIn(backend.url, "jane", password)
			browser.waitForState("ready")
			assert.Empty(t, browser.evaluate(tooFaint))
			console := browser.frame(quickSight.URL, titled("Start"))
			faint, err := evaluate(console, tooFaint)
			assert.NoError(t, err)
			assert.Empty(t, faint, "in the console")
			quickSight.Advance(11 * 60 * 60 * 1e9)
			browser.waitForState("problem")
			assert.Empty(t, browser.evaluate(tooFaint))
			browser.screenshot("problem-" + scheme)
		})
	}
}
