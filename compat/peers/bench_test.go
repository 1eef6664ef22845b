package peers

import (
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/quicksight"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"example.com/quicksightembed"
)

// caller makes a call with its client. If session is not nil, it signs with these credentials of
// the user.
type caller func(ctx context.Context, in *quicksightembed.GetSessionEmbedUrlInput, session aws.CredentialsProvider) error

func officialCaller(cfg aws.Config) caller {
	client := quicksight.NewFromConfig(cfg)
	return func(ctx context.Context, in *quicksightembed.GetSessionEmbedUrlInput, session aws.CredentialsProvider) (err error) {
		if session != nil {
			_, err = client.GetSessionEmbedUrl(ctx, officialInput(in), func(o *quicksight.Options) { o.Credentials = session })
		} else {
			_, err = client.GetSessionEmbedUrl(ctx, officialInput(in))
		}
		return err
	}
}

func ourCaller(cfg aws.Config) caller {
	client := quicksightembed.NewFromConfig(cfg)
	return func(ctx context.Context, in *quicksightembed.GetSessionEmbedUrlInput, session aws.CredentialsProvider) (err error) {
		if session != nil {
			_, err = client.GetSessionEmbedUrl(ctx, in, func(o *quicksightembed.Options) { o.Credentials = session })
		} else {
			_, err = client.GetSessionEmbedUrl(ctx, in)
		}
		return err
	}
}

var callers = []struct {
	name string
	new  func(aws.Config) caller
}{
	{"official", officialCaller},
	{"ours", ourCaller},
}

// everyInput returns an input with all fields.
func everyInput() *quicksightembed.GetSessionEmbedUrlInput {
	in := janes()
	in.EntryPoint, in.SessionLifetimeInMinutes = aws.String(quicksightembed.EntryPointDashboards), aws.Int64(60)
	return in
}

// stub answers at once, so that benchmarks measure the client alone.
func stub(replies ...reply) smithyhttp.ClientDoFunc {
	var asked atomic.Uint64
	return func(*http.Request) (*http.Response, error) {
		r := replies[(asked.Add(1)-1)%uint64(len(replies))]
		return &http.Response{
			StatusCode: r.status, ProtoMajor: 1, ProtoMinor: 1, Header: r.header, ContentLength: int64(len(r.body)),
			Body: io.NopCloser(strings.NewReader(r.body)),
		}, nil
	}
}

var (
	replyHeader = http.Header{"Content-Type": {"application/json"}, "X-Amzn-Requestid": {"3f6c1a9e-2b7d-4c11-9f0e-8f4f5a4e1c2b"}}
	okReply     = reply{status: 200, header: replyHeader, body: urlReply}
	errorReply  = reply{status: 401, header: http.Header{"X-Amzn-Errortype": {"AccessDeniedException"}}, body: `{"message":"not allowed","RequestId":"body-id"}`}
	busyReply   = reply{status: 429, header: http.Header{"X-Amzn-Errortype": {"ThrottlingException"}}, body: `{"message":"slow down","RequestId":"body-id"}`}
)

// benchmark makes the same calls with each client.
func benchmark(b *testing.B, cfg aws.Config, in *quicksightembed.GetSessionEmbedUrlInput, wantErr bool, session func(i int) aws.CredentialsProvider) {
	for _, c := range callers {
		b.Run(c.name, func(b *testing.B) {
			call := c.new(cfg)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				var credentials aws.CredentialsProvider
				if session != nil {
					credentials = session(i)
				}
				if err := call(b.Context(), in, credentials); (err != nil) != wantErr {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkCall has a transport that answers at once, and default options: the attempt timeout is
// on.
func BenchmarkCall(b *testing.B) {
	b.Run("account alone", func(b *testing.B) {
		benchmark(b, workingConfig(stub(okReply)), &quicksightembed.GetSessionEmbedUrlInput{AwsAccountId: aws.String(account)}, false, nil)
	})
	b.Run("all inputs and a session token", func(b *testing.B) {
		cfg := workingConfig(stub(okReply))
		cfg.Credentials = endUsers[0]
		benchmark(b, cfg, everyInput(), false, nil)
	})
}

// endUsers are role sessions, each with its own key.
var endUsers = func() (sessions [256]aws.CredentialsProvider) {
	token := strings.Repeat("FwoGZXIvYXdzEBYaDH", 40)
	for i := range sessions {
		sessions[i] = credentials(fmt.Sprintf("ASIAEXAMPLE%d", i), "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", token)
	}
	return sessions
}()

func BenchmarkPerUserCredentials(b *testing.B) {
	benchmark(b, workingConfig(stub(okReply)), everyInput(), false, func(i int) aws.CredentialsProvider { return endUsers[i%len(endUsers)] })
}

// BenchmarkInvalidInput has an input without an account, which both clients refuse.
func BenchmarkInvalidInput(b *testing.B) {
	benchmark(b, workingConfig(stub(okReply)), &quicksightembed.GetSessionEmbedUrlInput{}, true, nil)
}

func BenchmarkErrorReply(b *testing.B) {
	benchmark(b, workingConfig(stub(errorReply)), everyInput(), true, nil)
}

// BenchmarkThrottledOnce has calls that succeed on the second attempt, without a pause.
func BenchmarkThrottledOnce(b *testing.B) {
	cfg := workingConfig(stub(busyReply, okReply))
	retryer := withoutDelay()
	cfg.Retryer = func() aws.Retryer { return retryer }
	benchmark(b, cfg, everyInput(), false, nil)
}

// answering starts a server that does not verify signatures, so that benchmarks measure the
// clients.
func answering(b *testing.B, start func(http.Handler) *httptest.Server, body string) aws.Config {
	server := start(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, body)
	}))
	b.Cleanup(server.Close)
	cfg := workingConfig(nil)
	cfg.BaseEndpoint = aws.String(server.URL)
	if server.TLS != nil {
		roots := x509.NewCertPool()
		roots.AddCert(server.Certificate())
		cfg.HTTPClient = awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
			t.TLSClientConfig.RootCAs = roots
		})
	}
	return cfg
}

// BenchmarkLoopback sends to a server. For HTTP, each client has its own default HTTP client.
func BenchmarkLoopback(b *testing.B) {
	b.Run("HTTP", func(b *testing.B) { benchmark(b, answering(b, httptest.NewServer, urlReply), everyInput(), false, nil) })
	b.Run("TLS", func(b *testing.B) {
		benchmark(b, answering(b, httptest.NewTLSServer, urlReply), everyInput(), false, nil)
	})
}

// BenchmarkParallel calls from several goroutines, with a transport that answers at once.
func BenchmarkParallel(b *testing.B) {
	for _, goroutines := range []int{1, 8, 64, 256} {
		b.Run(fmt.Sprint(goroutines), func(b *testing.B) {
			for _, c := range callers {
				b.Run(c.name, func(b *testing.B) {
					call, in := c.new(workingConfig(stub(okReply))), everyInput()
					b.ReportAllocs()
					b.SetParallelism(max(1, goroutines/runtime.GOMAXPROCS(0)))
					b.RunParallel(func(pb *testing.PB) {
						for pb.Next() {
							if err := call(b.Context(), in, nil); err != nil {
								b.Error(err)
								return
							}
						}
					})
				})
			}
		})
	}
}

// BenchmarkReplySize has replies from 1 KiB up to the bound, filled by an unknown key.
func BenchmarkReplySize(b *testing.B) {
	for _, size := range []int{1 << 10, 32 << 10, 1 << 20} {
		b.Run(fmt.Sprintf("%d KiB", size>>10), func(b *testing.B) {
			padding := strings.Repeat("x", size-len(urlReply)-len(`,"Padding":""`))
			body := urlReply[:len(urlReply)-1] + `,"Padding":"` + padding + `"}`
			benchmark(b, workingConfig(stub(reply{status: 200, header: replyHeader, body: body})), everyInput(), false, nil)
		})
	}
}

func BenchmarkNewFromConfig(b *testing.B) {
	cfg := workingConfig(nil)
	for _, c := range callers {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.new(cfg)
			}
		})
	}
}
