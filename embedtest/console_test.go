package embedtest_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/quicksightembed/embedtest"
)

func TestConsoleShowsItsEntryPoint(t *testing.T) {
	server := newServer(t)
	for entryPoint, test := range map[string]struct{ title, pageType, menu string }{
		"/start":            {"Start", "START", "Start"},
		"/start/favorites":  {"Favorites", "START", "Favorites"},
		"/start/analyses":   {"Analyses", "START", "Analyses"},
		"/start/dashboards": {"Dashboards", "START", "Dashboards"},
		"/dashboards/sales": {"Dashboard sales", "DASHBOARD", "Dashboards"},
		"/analyses/sales":   {"Analysis sales", "ANALYSIS", "Analyses"},
	} {
		t.Run(entryPoint, func(t *testing.T) {
			in := janesInput()
			in.EntryPoint = &entryPoint
			_, page := open(t, server, http.MethodGet, issue(t, server, in))
			assert.Contains(t, page, "<h2>"+test.title+"</h2>")
			assert.Contains(t, page, `data-page-type="`+test.pageType+`"`)
			assert.Contains(t, page, ` aria-current="page">`+test.menu+`</button>`)
			assert.Equal(t, 1, strings.Count(page, ` aria-current="page">`))
		})
	}
}

func TestConsoleTellsTheSDKWhyItShowsNothing(t *testing.T) {
	server := newServer(t)
	used, late, lasting := issue(t, server, janesInput()), issue(t, server, janesInput()), issue(t, server, janesInput())
	open(t, server, http.MethodGet, used)
	resp, _ := open(t, server, http.MethodGet, lasting)
	server.Advance(10 * time.Hour)
	for name, test := range map[string]struct{ url, code string }{
		"a URL that was used":     {used, "Forbidden"},
		"a URL that has expired":  {late, "Forbidden"},
		"a URL that is unknown":   {server.URL + "/embedding/x/start?code=x", "Forbidden"},
		"a session that is ended": {strings.Split(lasting, "?")[0], "Unauthorized"},
	} {
		t.Run(name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, test.url, nil)
			require.NoError(t, err)
			req.AddCookie(resp.Cookies()[0])
			_, page := do(t, server.Client(), req)
			assert.Contains(t, page, `data-error-code="`+test.code+`"`)
			assert.Contains(t, page, `<p class="problem" role="alert">This `)
		})
	}
}

// TestConsoleRunsNothingButItsOwn expects a policy that allows only the page's script and style.
func TestConsoleRunsNothingButItsOwn(t *testing.T) {
	server := newServer(t)
	resp, page := open(t, server, http.MethodGet, issue(t, server, janesInput()))
	policies := resp.Header.Values("Content-Security-Policy")
	require.Len(t, policies, 2)
	assert.Equal(t, "frame-ancestors 'none'", policies[0])
	assert.Contains(t, policies[1], "default-src 'none'")
	for _, element := range []string{"script", "style"} {
		content := regexp.MustCompile(`(?s)<` + element + `>(.*)</` + element + `>`).FindStringSubmatch(page)
		require.NotNil(t, content)
		sum := sha256.Sum256([]byte(content[1]))
		assert.Contains(t, policies[1], element+"-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'")
	}
}

func TestControlFrame(t *testing.T) {
	server := newServer(t, func(o *embedtest.Options) { o.AllowedDomains = []string{"https://app.example.com"} })
	id := strings.Split(strings.TrimPrefix(issue(t, server, janesInput()), server.URL), "/")[2]
	resp, page := open(t, server, http.MethodGet, server.URL+"/embed/"+id+"/embedControl?contextId=c&discriminator=0")
	assert.Equal(t, 200, resp.StatusCode)
	assert.Contains(t, page, "control frame")
	assert.Equal(t, "frame-ancestors https://app.example.com", resp.Header.Get("Content-Security-Policy"))
	resp, _ = open(t, server, http.MethodPost, server.URL+"/embed/"+id+"/embedControl")
	assert.Equal(t, 405, resp.StatusCode)
}

func TestPageToAcceptTheCertificateOn(t *testing.T) {
	server := newServer(t)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/", nil)
	require.NoError(t, err)
	req.Header.Set("Accept", "text/html,*/*;q=0.8") // as browsers do
	resp, page := do(t, server.Client(), req)
	assert.Equal(t, 200, resp.StatusCode)
	assert.Contains(t, page, "You can close this tab")
	assert.Empty(t, server.Requests(), "it is not a request to the API")
}

func TestConsoleEscapesWhatUsersAreCalled(t *testing.T) {
	server := newServer(t)
	in := janesInput()
	in.UserArn = aws.String(jane + `"><script>alert(1)</script>`)
	_, page := open(t, server, http.MethodGet, issue(t, server, in))
	assert.Equal(t, 1, strings.Count(page, "<script>"))
	assert.Contains(t, page, `jane&#34;&gt;&lt;script&gt;`)
}

func TestURLThatWasEscapedTwiceSaysSo(t *testing.T) {
	server := newServer(t)
	issued := issue(t, server, janesInput())
	for name, url := range map[string]string{
		"as HTML":          strings.ReplaceAll(issued, "&", "&amp;"),
		"as JSON":          strings.ReplaceAll(issued, "&", `\u0026`),
		"as JSON in a URL": strings.ReplaceAll(issued, "&", "%5Cu0026"),
		"its ?":            strings.Replace(issued, "?", "%3F", 1),
		"its &":            strings.ReplaceAll(issued, "&", "%26"),
		"its %":            strings.ReplaceAll(issued, "%", "%25"),
	} {
		t.Run(name, func(t *testing.T) {
			resp, page := open(t, server, http.MethodGet, url)
			assert.Equal(t, 400, resp.StatusCode)
			assert.Contains(t, page, "This URL was escaped twice")
			assert.Contains(t, page, `data-error-code="Forbidden"`)
		})
	}
	for name, url := range map[string]string{
		"no identityprovider": strings.Replace(issued, "&identityprovider=quicksight", "", 1),
		"no isauthcode":       strings.Replace(issued, "&isauthcode=true", "", 1),
		"another one":         strings.Replace(issued, "isauthcode=true", "isauthcode=false", 1),
	} {
		t.Run(name, func(t *testing.T) {
			resp, _ := open(t, server, http.MethodGet, url)
			assert.Equal(t, 404, resp.StatusCode)
		})
	}
	resp, _ := open(t, server, http.MethodGet, issued)
	assert.Equal(t, 200, resp.StatusCode, "none of this used it up")
}

func TestConsoleThatIsSlowOrSilent(t *testing.T) {
	server := newServer(t, func(o *embedtest.Options) { o.ConsoleDelay, o.ConsoleSilent = 50*time.Millisecond, true })
	url := issue(t, server, janesInput())
	start := time.Now()
	resp, page := open(t, server, http.MethodGet, url)
	assert.Equal(t, 200, resp.StatusCode)
	assert.GreaterOrEqual(t, time.Since(start), 50*time.Millisecond)
	assert.Contains(t, page, ` data-silent="true"`)
	server = newServer(t)
	_, page = open(t, server, http.MethodGet, issue(t, server, janesInput()))
	assert.NotContains(t, page, "data-silent=")
}
