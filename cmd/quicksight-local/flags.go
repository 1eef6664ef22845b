package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"regexp"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"example.com/quicksightembed/embedtest"
)

type settings struct {
	addr            string
	json            bool
	certificateFile string // with TLS
	options         embedtest.Options
}

var headerValue = regexp.MustCompile(`^[!-~]*$`)

// parse reads the flags. Each value is checked with its flag, so that the error names it.
func parse(args []string, stderr io.Writer) (*settings, error) {
	s := &settings{addr: "127.0.0.1:8484", options: embedtest.Options{
		AwsAccountId: "111122223333",
		Region:       "us-east-1",
		Credentials:  aws.Credentials{AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"},
	}}
	o := &s.options
	set := flag.NewFlagSet("quicksight-local", flag.ContinueOnError)
	set.SetOutput(io.Discard) // errors are printed once, without the list of flags
	option := func(name, usage string, apply func(value string)) {
		set.Func(name, usage, func(value string) error {
			apply(value)
			return o.Validate()
		})
	}
	duration := func(name, usage string, apply func(time.Duration)) {
		set.Func(name, usage, func(value string) error {
			d, err := time.ParseDuration(value)
			if err != nil {
				return errors.New("it must be a time such as 90s, 15m or 1h")
			}
			apply(d)
			return o.Validate()
		})
	}
	list := func(target *[]string) func(string) {
		return func(value string) { *target = append(*target, value) }
	}
	set.Func("addr", "`address` to listen on; beyond loopback, anybody there can use it (default 127.0.0.1:8484)", func(value string) error {
		s.addr = value
		_, _, err := net.SplitHostPort(value)
		return err
	})
	set.BoolVar(&s.json, "json", false, "print the start as one line of JSON, and the log as JSON lines")
	set.BoolVar(&o.TLS, "tls", false, "speak HTTPS, with a certificate that is made at the start")
	option("public-url", "`URL` by which browsers reach the server, such as https://quicksight.test:8484 (default: the host of the request)", func(v string) { o.PublicURL = v })

	option("account", "AWS account `id` (default 111122223333)", func(v string) { o.AwsAccountId = v })
	option("region", "`region` that requests must be signed for (default us-east-1)", func(v string) { o.Region = v })
	option("edition", "`edition`: ENTERPRISE, ENTERPRISE_AND_Q, STANDARD, or NONE for no subscription (default ENTERPRISE)", func(v string) { o.Edition = embedtest.Edition(v) })
	option("user", "`ARN` of a registered user; can be given more than once (default: everyone is registered)", list(&o.Users))
	option("signer", "`ARN` of the user of the credentials: the user that a request without a user is for", func(v string) { o.UserArn = v })
	option("role", "`ARN` of a role that AssumeRole issues keys for; can be given more than once (default: none)", list(&o.Roles))
	duration("max-session-duration", "`time` that a role session lasts at most, 1h to 12h (default 1h)", func(d time.Duration) { o.MaxSessionDuration = d })
	option("dashboard", "`id` of a dashboard; can be given more than once (default: every dashboard exists)", list(&o.Dashboards))
	option("analysis", "`id` of an analysis; can be given more than once (default: every analysis exists)", list(&o.Analyses))
	option("denied", "IAM `action` that nobody is allowed, such as quicksight:GetAuthCode; can be given more than once (default: none)", list(&o.Denied))
	for _, name := range []string{"domain", "allowed-domain"} {
		option(name, "`origin` whose pages may frame the console, such as https://localhost:3000; can be given more than once (default: none)", list(&o.AllowedDomains))
	}

	set.Func("session-token", "`token` that requests must have", func(value string) error {
		if o.Credentials.SessionToken = value; !headerValue.MatchString(value) {
			return errors.New("it must be printable ASCII without spaces")
		}
		return nil
	})
	duration("expires-in", "`time` after which the credentials expire, such as 1h; negative for expired ones (default: never)", func(d time.Duration) {
		o.Credentials.CanExpire, o.Credentials.Expires = d != 0, time.Now().Add(d)
	})
	set.Func("fail", "answer each request that would get a URL with this `exception`, such as ThrottlingException", func(value string) error {
		fault, err := recovered(func() embedtest.Fault { return embedtest.Fail(value).When(always) })
		o.Faults = []embedtest.Fault{fault}
		return err
	})
	set.BoolVar(&o.Envelope, "envelope", false, "wrap replies as a gateway in front of the service does")
	set.BoolVar(&o.EnvelopeIdOnly, "envelope-id-only", false, "wrap replies, and leave the URL out")
	duration("console-delay", "`time` that the console's page takes to answer, such as 5s (default: none)", func(d time.Duration) { o.ConsoleDelay = d })
	set.BoolVar(&o.ConsoleSilent, "console-silent", false, "the console's page posts no messages to the page around it")

	err := set.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		set.SetOutput(stderr)
		fmt.Fprintln(stderr, "Usage of quicksight-local:")
		set.PrintDefaults()
	case err == nil && set.NArg() > 0:
		err = fmt.Errorf("unexpected argument %q", set.Arg(0))
	}
	return s, err
}

func always(embedtest.Request) bool { return true }

// recovered returns as an error what embedtest panics with for an invalid fault.
func recovered(newFault func() embedtest.Fault) (fault embedtest.Fault, err error) {
	defer func() {
		if problem := recover(); problem != nil {
			err = fmt.Errorf("%v", problem)
		}
	}()
	return newFault(), nil
}
