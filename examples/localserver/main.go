// Localserver is a QuickSight on loopback, for the AWS CLI, the SDKs of other languages and front-end work: embedtest as a
// process. It answers GetSessionEmbedUrl until it is interrupted, and logs each request with its verdict.
package main

import (
	"context"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"example.com/quicksightembed"
	"example.com/quicksightembed/embedtest"
)

const (
	exitError    = 1
	exitBadInput = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) (exitCode int) {
	f, err := parseFlags(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		return exitBadInput
	}
	listener, err := net.Listen("tcp", f.addr)
	if err != nil {
		fmt.Fprintln(stderr, "cannot listen:", err)
		return exitError
	}
	logger := log.New(stderr, "", log.LstdFlags)
	server := f.start(listener, func(r embedtest.Request) { logger.Println(r) })
	defer server.Close()
	defer func() { os.Remove(f.certificateFile) }()
	if err := f.printUsage(stdout, server); err != nil {
		fmt.Fprintln(stderr, err)
		return exitError
	}

	<-ctx.Done()
	logger.Println("stopped")
	return 0
}

type flags struct {
	addr            string
	tls             bool
	fail            string
	expiresIn       time.Duration
	options         embedtest.Options
	certificateFile string // written by printUsage, where TLS is on
}

func parseFlags(args []string, stderr io.Writer) (*flags, error) {
	f := flags{options: embedtest.Options{
		Credentials: aws.Credentials{AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"},
	}}
	o := &f.options
	set := flag.NewFlagSet("localserver", flag.ContinueOnError)
	set.SetOutput(stderr)
	list := func(target *[]string) func(string) error {
		return func(value string) error { *target = append(*target, value); return nil }
	}
	set.StringVar(&f.addr, "addr", "127.0.0.1:8484", "`address` to listen on; beyond loopback, anybody there can use it")
	set.StringVar(&o.AwsAccountId, "account", "111122223333", "AWS account `id`")
	set.StringVar(&o.Region, "region", "us-east-1", "`region` that requests must be signed for")
	set.Func("user", "`ARN` of a registered user; can be given more than once (default: everyone is registered)", list(&o.Users))
	set.Func("dashboard", "`id` of a dashboard; can be given more than once (default: every dashboard exists)", list(&o.Dashboards))
	set.Func("analysis", "`id` of an analysis; can be given more than once (default: every analysis exists)", list(&o.Analyses))
	set.StringVar((*string)(&o.Edition), "edition", string(embedtest.EditionEnterprise), "`edition`: ENTERPRISE, ENTERPRISE_AND_Q, STANDARD, or NONE for no subscription")
	set.Func("allowed-domain", "`origin` whose pages may frame the console, such as https://localhost:3000; can be given more than once (default: none)", list(&o.AllowedDomains))
	set.BoolVar(&o.Envelope, "envelope", false, "wrap replies as a gateway in front of the service does")
	set.BoolVar(&f.tls, "tls", false, "speak HTTPS, with a certificate that is made at the start")
	set.StringVar(&o.Credentials.SessionToken, "session-token", "", "`token` that requests must have")
	set.DurationVar(&f.expiresIn, "expires-in", 0, "`time` after which the credentials expire, such as 1h; negative for expired ones (default: never)")
	set.StringVar(&o.UserArn, "signer", "", "`ARN` of the user of the credentials: whom a request without a user is for, as with role sessions")
	set.StringVar(&f.fail, "fail", "", "answer each request that would get a URL with this `exception`, such as ThrottlingException")
	if err := set.Parse(args); err != nil {
		return nil, err
	}
	if err := f.check(set.Args()); err != nil {
		fmt.Fprintln(stderr, err)
		return nil, err
	}
	return &f, nil
}

// check refuses what would make every request fail.
func (f *flags) check(arguments []string) error {
	if len(arguments) > 0 {
		return fmt.Errorf("unexpected argument %q", arguments[0])
	}
	in := quicksightembed.GetSessionEmbedUrlInput{AwsAccountId: &f.options.AwsAccountId}
	for _, user := range append([]string{f.options.UserArn}, f.options.Users...) {
		if user != "" {
			in.UserArn = &user
		}
		if err := in.Validate(); err != nil {
			return err
		}
	}
	switch f.options.Edition {
	case embedtest.EditionEnterprise, embedtest.EditionEnterpriseAndQ, embedtest.EditionStandard, embedtest.EditionNone:
		return nil
	}
	return fmt.Errorf("-edition %q must be ENTERPRISE, ENTERPRISE_AND_Q, STANDARD or NONE", f.options.Edition)
}

func (f *flags) start(listener net.Listener, onRequest func(embedtest.Request)) *embedtest.Server {
	start := embedtest.NewServer
	if f.tls {
		start = embedtest.NewTLSServer
	}
	return start(func(o *embedtest.Options) {
		*o = f.options
		o.Listener = listener
		o.OnRequest = onRequest
		if f.expiresIn != 0 {
			o.Credentials.CanExpire, o.Credentials.Expires = true, time.Now().Add(f.expiresIn)
		}
		if f.fail != "" {
			o.Faults = []embedtest.Fault{embedtest.Fail(f.fail).When(func(embedtest.Request) bool { return true })}
		}
	})
}

// printUsage tells how clients reach the server. Over TLS it writes the certificate to a file, for clients to trust.
func (f *flags) printUsage(w io.Writer, server *embedtest.Server) error {
	o := &f.options
	variables := []string{
		"AWS_ENDPOINT_URL_QUICKSIGHT=" + quote(server.URL),
		"AWS_REGION=" + quote(o.Region),
		"AWS_DEFAULT_REGION=" + quote(o.Region), // for the AWS CLI and Python
		"AWS_ACCESS_KEY_ID=" + quote(o.Credentials.AccessKeyID),
		"AWS_SECRET_ACCESS_KEY=" + quote(o.Credentials.SecretAccessKey),
	}
	if o.Credentials.SessionToken != "" {
		variables = append(variables, "AWS_SESSION_TOKEN="+quote(o.Credentials.SessionToken))
	}
	if f.tls {
		file, err := os.CreateTemp("", "localserver-*.pem")
		if err != nil {
			return err
		}
		defer file.Close()
		f.certificateFile = file.Name()
		if err := pem.Encode(file, &pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}); err != nil {
			return err
		}
		variables = append(variables, "AWS_CA_BUNDLE="+quote(f.certificateFile), "NODE_EXTRA_CA_CERTS="+quote(f.certificateFile))
	}
	user := "arn:aws:quicksight:" + o.Region + ":" + o.AwsAccountId + ":user/default/jane"
	if len(o.Users) > 0 {
		user = o.Users[0]
	}
	fmt.Fprintf(w, "QuickSight is served at %s\n\nFor SDKs, and the AWS CLI from 2.13 on:\n  export %s\n", server.URL, strings.Join(variables, "\n  export "))
	fmt.Fprintf(w, "\nFor any AWS CLI, with these variables:\n  aws quicksight get-session-embed-url --endpoint-url %s --region %s --aws-account-id %s --entry-point /start --user-arn %s\n\n",
		quote(server.URL), quote(o.Region), o.AwsAccountId, quote(user))
	return nil
}

// quote returns a word as a shell takes it.
func quote(word string) string {
	if strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=+@") == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
