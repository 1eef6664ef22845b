// Quickstart asks for an embed URL, shows the request as it went out, and opens the URL twice, to
// show that it works once. It needs no AWS account: it asks embedtest, a QuickSight in this
// process, unless told otherwise.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/config"

	"example.com/quicksightembed"
	"example.com/quicksightembed/embedtest"
)

const (
	exitError    = 1
	exitBadInput = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) (exitCode int) {
	flags, err := parseFlags(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		return exitBadInput // package flag has said why
	}

	cfg, stop, err := flags.config(ctx)
	if err != nil {
		fmt.Fprintln(stderr, "no AWS configuration:", err)
		return exitError
	}
	defer stop()
	client := quicksightembed.NewFromConfig(cfg, func(o *quicksightembed.Options) {
		o.HTTPSignerV4 = printingSigner{signer: o.HTTPSignerV4, out: stdout}
	})

	asked := time.Now()
	out, err := client.GetSessionEmbedUrl(ctx, &flags.input)
	if err != nil {
		return explain(stderr, err)
	}
	printOutput(stdout, out, asked, flags.input.SessionLifetimeInMinutes)
	if !flags.aws && out.EmbedUrl != nil { // a real URL is the reader's to open
		fmt.Fprintln(stdout, "\nOpened twice:")
		openURL(ctx, stdout, *out.EmbedUrl)
		openURL(ctx, stdout, *out.EmbedUrl)
	}
	return 0
}

type flags struct {
	input    quicksightembed.GetSessionEmbedUrlInput
	region   *string
	endpoint *string
	aws      bool
}

func parseFlags(args []string, stderr io.Writer) (*flags, error) {
	var f flags
	set := flag.NewFlagSet("quickstart", flag.ContinueOnError)
	set.SetOutput(stderr)
	set.Usage = func() {
		fmt.Fprintf(stderr, "Without -aws, the URL is asked of a QuickSight in this process, which knows the account %s and one user, jane,\nand is opened twice. With -endpoint it is asked of another such server.\n\n", demoAccount)
		set.PrintDefaults()
	}
	optional := func(target **string) func(string) error {
		return func(value string) error { *target = &value; return nil }
	}
	set.Func("account", "AWS account `id`, 12 digits (default "+demoAccount+", with -aws none)", optional(&f.input.AwsAccountId))
	set.Func("entry-point", "`path` that the session opens with, such as /start/dashboards or /dashboards/{id} (default QuickSight's, /start)", optional(&f.input.EntryPoint))
	set.Func("lifetime", "session lifetime in `minutes`, 15 to 600 (default QuickSight's, 600)", func(value string) error {
		minutes, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			return errors.New("it must be a whole number of minutes")
		}
		f.input.SessionLifetimeInMinutes = &minutes
		return nil
	})
	set.Func("user-arn", "`ARN` of the QuickSight user (default jane's, with -aws or -account none: the identity that signs)", optional(&f.input.UserArn))
	set.Func("region", "AWS `region` (default us-east-1, with -aws the configured one)", optional(&f.region))
	set.Func("endpoint", "base `URL` to send to", optional(&f.endpoint))
	set.BoolVar(&f.aws, "aws", false, "ask AWS, with the credentials and settings of the AWS configuration")
	if err := set.Parse(args); err != nil {
		return nil, err
	}
	if set.NArg() > 0 {
		fmt.Fprintf(stderr, "unexpected argument %q\n", set.Arg(0))
		set.Usage()
		return nil, errors.New("unexpected argument")
	}
	if !f.aws {
		f.setDemoDefaults()
	}
	return &f, nil
}

const (
	demoAccount = "111122223333"
	demoUserArn = "arn:aws:quicksight:us-east-1:" + demoAccount + ":user/default/jane"
)

func (f *flags) setDemoDefaults() {
	if f.region == nil {
		f.region = aws.String("us-east-1")
	}
	if f.input.AwsAccountId == nil {
		f.input.AwsAccountId = aws.String(demoAccount)
		if f.input.UserArn == nil {
			f.input.UserArn = aws.String(demoUserArn)
		}
	}
}

// config returns the configuration to call with: that of a QuickSight in this process, or of AWS.
func (f *flags) config(ctx context.Context) (cfg aws.Config, stop func(), err error) {
	if f.aws {
		cfg, err = config.LoadDefaultConfig(ctx)
		stop = func() {}
	} else {
		server := embedtest.NewServer(func(o *embedtest.Options) {
			o.AwsAccountId = demoAccount
			o.Region = *f.region
			o.Users = []string{demoUserArn}
		})
		cfg, stop = server.Config(), server.Close
	}
	if f.region != nil {
		cfg.Region = *f.region
	}
	if f.endpoint != nil {
		cfg.BaseEndpoint = f.endpoint
		if !f.aws {
			cfg.HTTPClient = nil // the demo's server's
		}
	}
	return cfg, stop, err
}

// printingSigner prints each request when it is complete, which is when it has been signed.
type printingSigner struct {
	signer quicksightembed.HTTPSignerV4
	out    io.Writer
}

func (p printingSigner) SignHTTP(ctx context.Context, credentials aws.Credentials, r *http.Request, payloadHash, service, region string, signingTime time.Time, optFns ...func(*v4.SignerOptions)) error {
	if err := p.signer.SignHTTP(ctx, credentials, r, payloadHash, service, region, signingTime, optFns...); err != nil {
		return err
	}
	fmt.Fprintf(p.out, "Request to %s://%s:\n  %s %s\n", r.URL.Scheme, r.URL.Host, r.Method, r.URL.RequestURI())
	names := make([]string, 0, len(r.Header))
	for name := range r.Header {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		value := r.Header.Get(name)
		switch name {
		case "Authorization":
			signed, signature, _ := strings.Cut(value, "Signature=")
			value = signed + "Signature=" + signature[:min(len(signature), 8)] + "…"
		case "X-Amz-Security-Token":
			value = "…"
		}
		fmt.Fprintf(p.out, "  %s: %s\n", name, value)
	}
	return nil
}

func printOutput(w io.Writer, out *quicksightembed.GetSessionEmbedUrlOutput, asked time.Time, lifetime *int64) {
	const urlLifetime = 5 * time.Minute
	minutes := int64(600) // QuickSight's default
	if lifetime != nil {
		minutes = *lifetime
	}
	fmt.Fprintf(w, "\nReply:\n  Status: %d\n  RequestId: %s\n", out.Status, aws.ToString(out.RequestId))
	if out.EmbedUrl == nil {
		fmt.Fprintf(w, "  Id: %s (an enveloped reply without an embed URL)\n", aws.ToString(out.Id))
		return
	}
	fmt.Fprintf(w, "  EmbedUrl: %s\n", *out.EmbedUrl)
	fmt.Fprintf(w, "  can be opened once, until %s\n", asked.Add(urlLifetime).Format("15:04:05"))
	fmt.Fprintf(w, "  the session then lasts %d minutes\n", minutes)
}

func openURL(ctx context.Context, w io.Writer, url string) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		fmt.Fprintln(w, "  not a URL that can be opened")
		return
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		fmt.Fprintln(w, "  could not be opened:", errors.Unwrap(err)) // the rest of the error is the URL
		return
	}
	resp.Body.Close()
	meaning := map[int]string{http.StatusOK: ", the session is open", http.StatusGone: ", a URL opens once"}[resp.StatusCode]
	fmt.Fprintf(w, "  %s%s\n", resp.Status, meaning)
}
