// Quickstart asks for an embed URL, prints what the URL is for, and opens it twice, to show that it
// opens once. It needs no AWS account: unless -aws or -endpoint is set, it asks embedtest, a
// QuickSight in this process.
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
	"github.com/aws/smithy-go/logging"

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
	flags, err := parseFlags(args, stdout)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintf(stderr, "%v; -h lists the flags\n", err)
		return exitBadInput
	}

	cfg, stop, err := flags.config(ctx)
	if err != nil {
		fmt.Fprintf(stderr, "no AWS configuration: %v; %s\n", err, checkConfiguration)
		return exitError
	}
	defer stop()
	client := quicksightembed.NewFromConfig(cfg, func(o *quicksightembed.Options) {
		if flags.verbose {
			o.HTTPSignerV4 = printingSigner{signer: o.HTTPSignerV4, out: stdout}
		}
	})

	asked := time.Now()
	out, err := client.GetSessionEmbedUrl(ctx, &flags.input)
	if err != nil {
		return explain(stderr, err)
	}
	if out.EmbedUrl == nil {
		fmt.Fprintf(stdout, "The reply has no embed URL. It is a gateway's, with the id %s.\n", aws.ToString(out.Id))
		return 0
	}
	flags.printURL(stdout, *out.EmbedUrl, asked)
	switch {
	case flags.serve:
		fmt.Fprintln(stdout, "\nOpen it in a browser. Ctrl-C ends.")
		<-ctx.Done()
	case !flags.aws && flags.endpoint == nil: // another QuickSight's URL is for the user
		fmt.Fprintln(stdout, "\nThis program has opened it twice, so it is used up:")
		openURL(ctx, stdout, *out.EmbedUrl)
		openURL(ctx, stdout, *out.EmbedUrl)
		fmt.Fprint(stdout, next)
	}
	return 0
}

const next = `
That was embedtest, a QuickSight in this process. Next:
  go run ./examples/quickstart -v       see the request, without its secrets
  go run ./examples/quickstart -serve   open the URL in your browser
  go run ./examples/quickstart -aws -account 123456789012   ask AWS, for your account
`

type flags struct {
	input               quicksightembed.GetSessionEmbedUrlInput
	region, endpoint    *string
	aws, serve, verbose bool
}

const help = `Quickstart asks for an embed URL. Unless -aws or -endpoint is set, it asks a QuickSight in this
process: account ` + demoAccount + `, one user, jane, and one dashboard, sales, in each region that has
QuickSight.

`

func parseFlags(args []string, stdout io.Writer) (*flags, error) {
	var f flags
	set := flag.NewFlagSet("quickstart", flag.ContinueOnError)
	set.SetOutput(io.Discard) // run prints the error, without the usage
	optional := func(target **string) func(string) error {
		return func(value string) error { *target = &value; return nil }
	}
	set.Func("account", "AWS account `ID`, 12 digits (default "+demoAccount+"; required with -aws)",
		optional(&f.input.AwsAccountId))
	set.Func("entry-point", "`page` to open, such as /start/dashboards or /dashboards/sales (default /start)",
		optional(&f.input.EntryPoint))
	set.Func("lifetime", "session lifetime, 15 to 600 `minutes` (default 600)", func(value string) error {
		minutes, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			return errors.New("it must be a whole number of minutes")
		}
		f.input.SessionLifetimeInMinutes = &minutes
		return nil
	})
	set.Func("user-arn", "`ARN` of the QuickSight user (default jane; with -aws, the identity that signs)",
		optional(&f.input.UserArn))
	set.Func("region", "AWS `region` (default us-east-1; with -aws, the configured one)", optional(&f.region))
	set.Func("endpoint", "base `URL` to send to instead of AWS or the QuickSight in this process", optional(&f.endpoint))
	set.BoolVar(&f.aws, "aws", false, "ask AWS, with the credentials and region of the AWS configuration")
	set.BoolVar(&f.serve, "serve", false, "leave the URL to your browser, until Ctrl-C")
	set.BoolVar(&f.verbose, "v", false, "print each request, without its secrets")
	err := set.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(stdout, help)
		set.SetOutput(stdout)
		set.PrintDefaults()
	case err == nil && set.NArg() > 0:
		err = fmt.Errorf("unexpected argument %q", set.Arg(0))
	case err == nil && f.serve && (f.aws || f.endpoint != nil):
		err = errors.New("-serve is for the QuickSight in this process: leave -aws and -endpoint out")
	}
	if err == nil && !f.aws {
		f.setDemoDefaults()
	}
	return &f, err
}

const demoAccount = "111122223333"

func userArn(account string) string {
	return "arn:aws:quicksight:us-east-1:" + account + ":user/default/jane"
}

func (f *flags) setDemoDefaults() {
	if f.region == nil {
		f.region = aws.String("us-east-1")
	}
	if f.input.AwsAccountId == nil {
		f.input.AwsAccountId = aws.String(demoAccount)
	}
	if f.input.UserArn == nil {
		account := *f.input.AwsAccountId
		if (&quicksightembed.GetSessionEmbedUrlInput{AwsAccountId: &account}).Validate() != nil {
			account = demoAccount // so that only the account is reported
		}
		f.input.UserArn = aws.String(userArn(account))
	}
}

// regions are those that have QuickSight, except the secret ones. See
// https://docs.aws.amazon.com/quick/latest/userguide/regions.html
var regions = strings.Fields(`us-east-1 us-east-2 us-west-2 us-gov-east-1 us-gov-west-1
	af-south-1 ap-northeast-1 ap-northeast-2 ap-south-1 ap-southeast-1 ap-southeast-2 ap-southeast-3 ap-southeast-5
	ca-central-1 cn-north-1 eu-central-1 eu-central-2 eu-north-1 eu-south-1 eu-south-2 eu-west-1 eu-west-2 eu-west-3
	il-central-1 me-central-1 sa-east-1`)

// config returns the configuration for AWS, or for a QuickSight in this process.
func (f *flags) config(ctx context.Context) (cfg aws.Config, stop func(), err error) {
	if f.aws {
		// The error of a call says more than the log of the credential lookup.
		cfg, err = config.LoadDefaultConfig(ctx, config.WithLogger(logging.Nop{}))
		stop = func() {}
	} else {
		server := embedtest.NewServer(func(o *embedtest.Options) {
			o.AwsAccountId = demoAccount
			if slices.Contains(regions, *f.region) {
				o.Region = *f.region
			}
			o.Users = []string{userArn(demoAccount)}
			o.Dashboards = []string{"sales"}
			o.Analyses = []string{}
		})
		cfg, stop = server.Config(), server.Close
	}
	if f.region != nil {
		cfg.Region = *f.region
	}
	if f.endpoint != nil {
		cfg.BaseEndpoint = f.endpoint
		if !f.aws {
			cfg.HTTPClient = nil // that of the demo's server
		}
	}
	return cfg, stop, err
}

// printURL prints the URL, its user and how long it works.
func (f *flags) printURL(w io.Writer, embedURL string, asked time.Time) {
	user, page, minutes := "the identity that signed", "/start", int64(600)
	if f.input.UserArn != nil {
		_, user, _ = strings.Cut(*f.input.UserArn, ":user/")
	}
	if f.input.EntryPoint != nil {
		page = *f.input.EntryPoint
	}
	if f.input.SessionLifetimeInMinutes != nil {
		minutes = *f.input.SessionLifetimeInMinutes
	}
	fmt.Fprintf(w, "%s\n\nThis URL opens the QuickSight console at %s for %s.\n", embedURL, page, user)
	fmt.Fprintf(w, "It opens once, within 5 minutes (until %s). The session then lasts %d minutes.\n",
		asked.Add(5*time.Minute).Format("15:04:05"), minutes)
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
		// The rest of the error is the URL.
		fmt.Fprintln(w, "  could not be opened:", errors.Unwrap(err))
		return
	}
	resp.Body.Close()
	meaning := map[int]string{http.StatusOK: ", the console", http.StatusGone: ", a URL opens once"}[resp.StatusCode]
	fmt.Fprintf(w, "  %s%s\n", resp.Status, meaning)
}

// printingSigner prints each request when it is signed, and so complete.
type printingSigner struct {
	signer quicksightembed.HTTPSignerV4
	out    io.Writer
}

func (p printingSigner) SignHTTP(ctx context.Context, credentials aws.Credentials, r *http.Request, payloadHash, service, region string, signingTime time.Time, optFns ...func(*v4.SignerOptions)) error {
	if err := p.signer.SignHTTP(ctx, credentials, r, payloadHash, service, region, signingTime, optFns...); err != nil {
		return err
	}
	fmt.Fprintf(p.out, "%s %s\nHost: %s\n", r.Method, r.URL.RequestURI(), r.URL.Host)
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
		fmt.Fprintf(p.out, "%s: %s\n", name, value)
	}
	fmt.Fprintln(p.out)
	return nil
}
