package peers

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/quicksight"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/quicksightembed"
	"example.com/quicksightembed/embedtest"
)

// signedAt is the signing time of all requests here, so that equal requests have equal signatures.
var signedAt = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// fixedSigner is the core's signer with a fixed time, and a fixed invocation ID, which is signed
// too.
type fixedSigner struct{ *v4.Signer }

func (s fixedSigner) SignHTTP(ctx context.Context, credentials aws.Credentials, r *http.Request, payloadHash, service, region string, _ time.Time, optFns ...func(*v4.SignerOptions)) error {
	r.Header.Set("Amz-Sdk-Invocation-Id", "11111111-2222-4333-8444-555555555555")
	return s.Signer.SignHTTP(ctx, credentials, r, payloadHash, service, region, signedAt, optFns...)
}

// gate is a server that verifies signatures, and both clients of it, each with its default
// transport.
type gate struct {
	*embedtest.Server
	official *quicksight.Client
	ours     *quicksightembed.Client
	last     atomic.Pointer[embedtest.Request] // the last request that the server got
}

func newGate(t testing.TB, token string) *gate {
	t.Helper()
	g := &gate{}
	g.Server = embedtest.NewServer(func(o *embedtest.Options) {
		o.Now = func() time.Time { return signedAt }
		o.Credentials.AccessKeyID, o.Credentials.SessionToken = "AKIAIOSFODNN7EXAMPLE", token
		o.OnRequest = func(r embedtest.Request) { g.last.Store(&r) }
	})
	t.Cleanup(g.Close)
	cfg := g.Config()
	cfg.HTTPClient = nil
	cfg.Retryer = once
	cfg.ServiceOptions = []func(string, any){set("HTTPSignerV4", fixedSigner{v4.NewSigner()})}
	g.official, g.ours = quicksight.NewFromConfig(cfg), quicksightembed.NewFromConfig(cfg)
	return g
}

// compare sends the same input with both clients under the same path prefix, and returns what
// reached the server.
func (g *gate) compare(t testing.TB, in *quicksightembed.GetSessionEmbedUrlInput, prefix string) (official, ours embedtest.Request) {
	t.Helper()
	base := aws.String(g.URL + prefix)
	_, officialErr := g.official.GetSessionEmbedUrl(t.Context(), officialInput(in), func(o *quicksight.Options) { o.BaseEndpoint = base })
	sentByOfficial := g.last.Swap(nil)
	_, ourErr := g.ours.GetSessionEmbedUrl(t.Context(), in, func(o *quicksightembed.Options) { o.BaseEndpoint = base })
	sentByOurs := g.last.Swap(nil)

	require.Equal(t, layersOf(officialErr), layersOf(ourErr), "%v\n%v", officialErr, ourErr)
	require.NotNil(t, sentByOfficial, officialErr)
	require.NotNil(t, sentByOurs, ourErr)
	official, ours = *sentByOfficial, *sentByOurs
	require.Equal(t, official.Method, ours.Method)
	require.Equal(t, official.URI, ours.URI)
	require.Equal(t, official.Host, ours.Host)
	require.Equal(t, slices.Sorted(maps.Keys(official.Header)), slices.Sorted(maps.Keys(ours.Header)))
	for name := range official.Header {
		if name != "User-Agent" { // it names the client, and is not signed
			require.Equal(t, official.Header[name], ours.Header[name], name)
		}
	}
	require.NotEmpty(t, ours.AccessKeyId, "the signature is right: %s", ours.Message)
	return official, ours
}

var prefixes = []string{"", "/", "/gateway", "/gateway/", "/v1/quick%20sight", "/a%2Fb/c", "/caf%C3%A9", "/~a-b_c.d", "/a+b", "/a,b;c=d", "/a:b@c", "/a//b", "/a%28b%29/!%27%2A", "/a%5Bb%5D"}

// randomInput returns a valid input of any form.
func randomInput(r *rand.Rand) *quicksightembed.GetSessionEmbedUrlInput {
	in := &quicksightembed.GetSessionEmbedUrlInput{AwsAccountId: aws.String(fmt.Sprintf("%012d", r.Int64N(1e12)))}
	id := randomText(r, []rune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"), 512)
	entryPoints := []string{
		quicksightembed.EntryPointStart, quicksightembed.EntryPointAnalyses, quicksightembed.EntryPointDashboards, quicksightembed.EntryPointFavorites,
		quicksightembed.DashboardEntryPoint(id), quicksightembed.AnalysisEntryPoint(id),
	}
	if i := r.IntN(len(entryPoints) + 1); i < len(entryPoints) {
		in.EntryPoint = &entryPoints[i]
	}
	if r.IntN(3) > 0 {
		in.SessionLifetimeInMinutes = aws.Int64(15 + r.Int64N(586))
	}
	if r.IntN(4) > 0 {
		partition := []string{"aws", "aws-cn", "aws-us-gov", "aws-eusc"}[r.IntN(4)]
		region := []string{"us-east-1", "cn-north-1", "us-gov-west-1", "ap-southeast-4"}[r.IntN(4)]
		namespace := randomText(r, []rune("abcXYZ019._-"), 64)
		in.UserArn = aws.String(fmt.Sprintf("arn:%s:quicksight:%s:%s:user/%s/%s", partition, region, *in.AwsAccountId, namespace, randomUserName(r)))
	}
	return in
}

func randomText(r *rand.Rand, of []rune, most int) string {
	text := make([]rune, 1+r.IntN(most))
	for i := range text {
		text[i] = of[r.IntN(len(of))]
	}
	return string(text)
}

// randomUserName returns a name of printable ASCII and of characters of up to four bytes.
func randomUserName(r *rand.Rand) string {
	characters := []rune("éßЖ中日本語🙂\u00a0\u200b\ufeff\U0010fffd")
	for c := ' '; c <= '~'; c++ {
		characters = append(characters, c)
	}
	return randomText(r, characters, 64)
}

func TestRequestsAreTheSame(t *testing.T) {
	const inputs = 2000
	for name, token := range map[string]string{"with keys": "", "with a session token": "FwoGZXIvYXdzEBYaDH/+==tok en"} {
		t.Run(name, func(t *testing.T) {
			g := newGate(t, token)
			random := rand.New(rand.NewPCG(2026, 11))
			for range inputs {
				in, prefix := randomInput(random), prefixes[random.IntN(len(prefixes))]
				require.NoError(t, in.Validate())
				g.compare(t, in, prefix)
			}
		})
	}
}

// TestRequestOnTheWire spells out what both clients send.
func TestRequestOnTheWire(t *testing.T) {
	g := newGate(t, "")
	official, ours := g.compare(t, &quicksightembed.GetSessionEmbedUrlInput{
		AwsAccountId: aws.String(account), EntryPoint: aws.String("/start/dashboards"),
		SessionLifetimeInMinutes: aws.Int64(600), UserArn: aws.String(strings.Replace(jane, "jane", "Jané Döe+/%", 1)),
	}, "/gate")
	assert.Equal(t, "GET", ours.Method)
	assert.Equal(t, "/gate/accounts/111122223333/session-embed-url?entry-point=%2Fstart%2Fdashboards&session-lifetime=600&user-arn=arn%3Aaws%3Aquicksight%3Aus-east-1%3A111122223333%3Auser%2Fdefault%2FJan%C3%A9%20D%C3%B6e%2B%2F%25", ours.URI)
	assert.Equal(t, []string{"Accept-Encoding", "Amz-Sdk-Invocation-Id", "Amz-Sdk-Request", "Authorization", "User-Agent", "X-Amz-Date"}, slices.Sorted(maps.Keys(ours.Header)))
	assert.Equal(t, "attempt=1; max=1", ours.Header.Get("Amz-Sdk-Request"))
	assert.Contains(t, ours.Header.Get("Authorization"), "Credential=AKIAIOSFODNN7EXAMPLE/20261124/us-east-1/quicksight/aws4_request, SignedHeaders=amz-sdk-invocation-id;amz-sdk-request;host;x-amz-date, Signature=")
	assert.Contains(t, official.Header.Get("User-Agent"), "api/quicksight#")
	assert.Contains(t, ours.Header.Get("User-Agent"), "lib/quicksightembed#")
}

func FuzzRequests(f *testing.F) {
	f.Add("/start", int64(15), "default", "jane", "")
	f.Add("/dashboards/1a1ac2b2-3fc3", int64(600), "Team-A_1.b", "Jané Döe 東京 ~!*'()&=%?+;:,@#$[]", "/gate%20way/a%2Fb")
	f.Add("", int64(0), "n", "role/session", "//a%29b")
	g := newGate(f, "token")
	f.Fuzz(func(t *testing.T, entryPoint string, lifetime int64, namespace, user, prefix string) {
		in := &quicksightembed.GetSessionEmbedUrlInput{AwsAccountId: aws.String(account)}
		if entryPoint != "" {
			in.EntryPoint = &entryPoint
		}
		if lifetime != 0 {
			in.SessionLifetimeInMinutes = &lifetime
		}
		if user != "" {
			in.UserArn = aws.String("arn:aws:quicksight:us-east-1:" + account + ":user/" + namespace + "/" + user)
		}
		if prefix != "" && !strings.HasPrefix(prefix, "/") {
			return // another port or host name
		}
		_, err := g.ours.SignGetSessionEmbedUrl(t.Context(), in, func(o *quicksightembed.Options) { o.BaseEndpoint = aws.String(g.URL + prefix) })
		if err != nil {
			return // refusedInput
		}
		g.compare(t, in, prefix)
	})
}
