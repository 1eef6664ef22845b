package webapp

import (
	"crypto/tls"
	"crypto/x509"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/quicksightembed/embedtest"
)

func always(embedtest.Request) bool { return true }

func TestWhatUsersSeeWhenThereIsNoURL(t *testing.T) {
	for name, test := range map[string]struct {
		options       func(*embedtest.Options)
		args          []string
		user          string
		place         string
		title, advice string
		log           string
		hasNoRequest  bool // of AWS
	}{
		"throttled": {
			options: func(o *embedtest.Options) { o.Faults = []embedtest.Fault{embedtest.Throttle().When(always)} },
			title:   "QuickSight is busy", advice: "Wait a moment, then open it again.", log: "ThrottlingException",
		},
		"service down": {
			options: func(o *embedtest.Options) { o.Faults = []embedtest.Fault{embedtest.Status(503).When(always)} },
			title:   "QuickSight cannot be reached", advice: "Try again in a few minutes.", log: "StatusCode: 503",
		},
		"no connection": {
			options: func(o *embedtest.Options) { o.Faults = []embedtest.Fault{embedtest.Reset().When(always)} },
			title:   "QuickSight cannot be reached", advice: "Try again in a few minutes.", log: "connection reset by peer", hasNoRequest: true,
		},
		"user unknown": {
			user:  "noor",
			title: "Your QuickSight user is not registered in this account", advice: "Ask your QuickSight administrator to register you", log: "QuickSightUserNotFoundException",
		},
		"role session unknown": {
			args: []string{"-identity", "role"}, user: "noor",
			title: "Your QuickSight user is not registered in this account", advice: "Ask your QuickSight administrator to register you", log: "QuickSightUserNotFoundException",
		},
		"wrong edition": {
			options: func(o *embedtest.Options) { o.Edition = embedtest.EditionStandard },
			title:   "The edition of this QuickSight account cannot be embedded", advice: "upgrade the account to the Enterprise edition", log: "UnsupportedUserEditionException",
		},
		"no such dashboard": {
			options: func(o *embedtest.Options) { o.Dashboards = []string{} }, place: "dashboard",
			title: "That page of QuickSight does not exist", advice: "Choose another page", log: "ResourceNotFoundException",
		},
		"not allowed": {
			options: func(o *embedtest.Options) { o.AwsAccountId = "999988887777" },
			title:   "This application may not open QuickSight for you", advice: "allow quicksight:GetSessionEmbedUrl", log: "AccessDeniedException",
		},
		"role that may not be assumed": {
			options: func(o *embedtest.Options) { o.Roles = nil }, args: []string{"-identity", "role"},
			title: "AWS gave no credentials for you", advice: "ask your administrator whether the role for QuickSight may be assumed", log: "AccessDenied",
		},
		"keys that AWS does not know": {
			options: func(o *embedtest.Options) {
				o.Faults = []embedtest.Fault{embedtest.Reply(403, map[string][]string{"X-Amzn-Errortype": {"UnrecognizedClientException"}}, `{"message":"m"}`).When(always)}
			},
			title: "AWS does not accept the credentials of this application", advice: "Ask its administrator to look at the log.", log: "UnrecognizedClientException",
		},
	} {
		t.Run(name, func(t *testing.T) {
			quickSight := newQuickSight(t, func(o *embedtest.Options) {
				if test.options != nil {
					test.options(o)
				}
			})
			backend := startBackend(t, quickSight, test.args...)
			browser := newTab(t, quickSight.Certificate())
			user := "jane"
			if test.user != "" {
				user = test.user
			}
			browser.signIn(backend.url, user, password)
			if test.place != "" {
				browser.waitForState("ready")
				browser.choose(test.place)
			}
			browser.waitForState("problem")
			assert.Equal(t, test.title, browser.sees("#problem h2"))
			assert.Contains(t, browser.sees("#problem-action"), test.advice)
			assert.Equal(t, test.title+".", browser.sees("[role=status]"))
			assert.Equal(t, "0", browser.evaluate("document.querySelectorAll('#frame iframe').length"))
			browser.screenshot(strings.ReplaceAll(name, " ", "-"))

			reference := strings.TrimPrefix(browser.sees("#problem-reference"), "Reference for your administrator: ")
			details := regexp.MustCompile(`(?m)^.*msg="no embed URL" request=` + reference + ` .*$`).FindString(backend.log.String())
			assert.Contains(t, details, test.log, "the log has the details, under the reference")
			assert.Contains(t, details, "user="+user)
			if !test.hasNoRequest {
				assert.Regexp(t, `aws_request=[0-9a-f-]{36} `, details)
			}
			assert.NotContains(t, browser.evaluate("document.body.innerText"), "Exception", "that is for the log")
		})
	}
}

func TestUserOpensAgainWhenTheTroubleIsOver(t *testing.T) {
	quickSight := newQuickSight(t)
	quickSight.Inject(embedtest.Throttle().Times(3)) // as often as the client tries
	backend := startBackend(t, quickSight)
	browser := newTab(t, quickSight.Certificate())
	browser.signIn(backend.url, "jane", password)
	browser.waitForState("problem")
	browser.run(chromedp.Click(chromedp.CSS("#open-again")))
	browser.waitForState("ready")
	browser.console(quickSight.URL, titled("Start"))
	assert.Equal(t, "false", browser.evaluate("document.querySelector('#problem').checkVisibility()"))
}

func TestDomainThatMayNotEmbed(t *testing.T) {
	quickSight := newQuickSight(t, func(o *embedtest.Options) { o.AllowedDomains = []string{"https://app.example.com"} })
	backend := startBackend(t, quickSight)
	browser := newTab(t, quickSight.Certificate())
	browser.signIn(backend.url, "jane", password)
	browser.waitForState("ready")
	browser.waitFor("document.querySelector('#hint').checkVisibility()")
	assert.Contains(t, browser.sees("#hint"), "If QuickSight does not show below, "+backend.url+" may be missing on the list of domains that may embed it")
	browser.screenshot("domain-not-allowed")
}

func TestBackendThatIsGone(t *testing.T) {
	quickSight := newQuickSight(t)
	backend := startBackend(t, quickSight)
	browser := newTab(t, quickSight.Certificate())
	browser.signIn(backend.url, "jane", password)
	browser.waitForState("ready")
	backend.stop()
	browser.choose("dashboards")
	browser.waitForState("problem")
	assert.Equal(t, "Acme Insights cannot be reached", browser.sees("#problem h2"))
}

func TestQuickSightThatTheBrowserDoesNotReach(t *testing.T) {
	quickSight := newQuickSight(t)
	backend := startBackend(t, quickSight)
	browser := newTab(t) // which does not trust it
	browser.signIn(backend.url, "jane", password)
	browser.waitForState("problem")
	assert.Equal(t, "Your browser cannot reach QuickSight", browser.sees("#problem h2"))
	assert.Contains(t, browser.sees("#problem-action"), quickSight.URL)
}

// The demo as the README starts it, in a browser that knows nothing of it.
func TestDemoAsksForOneCertificateToBeAccepted(t *testing.T) {
	backend := startProgram(t, nil, "-quicksight-addr", "127.0.0.1:0")
	require.NotEmpty(t, backend.quickSight)
	browser := newTab(t)
	browser.signIn(backend.url, "jane", "demo")
	browser.waitForState("problem")
	assert.Equal(t, "Your browser has not accepted the local certificate", browser.sees("#problem h2"))
	assert.Equal(t, backend.quickSight+"/", browser.evaluate("document.querySelector('#problem-link a').href"))
	assert.Equal(t, "Open "+backend.quickSight, browser.sees("#problem-link a"))
	browser.screenshot("certificate")

	browser.acceptCertificateOf(backend.quickSight)
	assert.Contains(t, browser.evaluate("document.body.innerText"), "You can close this tab")
	browser.run(chromedp.Navigate(backend.url))
	browser.waitForState("ready")
	assert.Contains(t, browser.console(backend.quickSight, titled("Start")), users+"jane")
}

func TestDemoOnAnotherDomainSaysWhereToOpenIt(t *testing.T) {
	backend := startProgram(t, nil, "-quicksight-addr", "127.0.0.1:0")
	browser := newTab(t, certificateAt(t, backend.quickSight))
	browser.signIn(strings.Replace(backend.url, "localhost", "127.0.0.1", 1), "jane", "demo")
	browser.waitForState("problem")
	assert.Equal(t, "QuickSight does not show itself on this domain", browser.sees("#problem h2"))
	assert.Contains(t, browser.sees("#problem-action"), "is not on the list of domains that may embed QuickSight. This page is meant to be opened at:")
	assert.Equal(t, backend.url, browser.sees("#problem-link a"))
}

func certificateAt(t *testing.T, url string) *x509.Certificate {
	t.Helper()
	conn, err := tls.Dial("tcp", strings.TrimPrefix(url, "https://"), &tls.Config{InsecureSkipVerify: true})
	require.NoError(t, err)
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0]
}

// A real console that works posts no message.
func TestConsoleThatStaysSilentIsOpen(t *testing.T) {
	quickSight := newQuickSight(t, func(o *embedtest.Options) { o.ConsoleSilent = true })
	backend := startBackend(t, quickSight)
	browser := newTab(t, quickSight.Certificate())
	browser.signIn(backend.url, "jane", password)
	browser.waitForState("ready")
	browser.console(quickSight.URL, titled("Start"))
	assert.Equal(t, "false", browser.evaluate("document.querySelector('#problem').checkVisibility()"))
	browser.waitFor("document.querySelector('#hint').checkVisibility()")
	browser.screenshot("silent")
	browser.choose("dashboards")
	browser.console(quickSight.URL, titled("Dashboards"))
	browser.waitForState("ready")
	assert.Equal(t, "true", browser.evaluate("document.querySelector('#hint').hidden"))
}

// What a person does in the console's own menu is posted as AWS documents it, and nothing else is.
func TestConsolePostsItsNavigationAlone(t *testing.T) {
	quickSight := newQuickSight(t)
	backend := startBackend(t, quickSight)
	browser := newTab(t, quickSight.Certificate())
	browser.onNewDocument(`window.posted = []; addEventListener("message", (event) => posted.push(event.data.eventName))`)
	browser.signIn(backend.url, "jane", password)
	browser.waitForState("ready")
	frame := browser.frame(quickSight.URL, titled("Start"))
	_, err := evaluate(frame, `[...document.querySelectorAll("nav button")].find((b) => b.textContent === "Favorites").click()`)
	require.NoError(t, err)
	browser.console(quickSight.URL, titled("Favorites"))
	browser.waitFor(`posted.join() === "PAGE_NAVIGATION"`)
}
