package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"example.com/quicksightembed"
)

const (
	demoAccount   = "111122223333"
	demoPassword  = "demo"
	demoDashboard = "sales-overview"
	demoRole      = "arn:aws:iam::" + demoAccount + ":role/embed-console"
)

// settings are what the flags say.
type settings struct {
	addr, origin  string
	consoleOrigin string // whose pages the page frames
	localAddr     string
	sdk           string

	aws               bool
	account           string
	identity          string // registered or role
	roleARN           string
	namespace         string
	users             []string // who may sign in; their names are those of their QuickSight users, or of their role sessions
	password          string
	dashboard         string
	minutes           int64
	lifetimeInMinutes *int64
}

const sdkPath = "node_modules/amazon-quicksight-embedding-sdk/dist/quicksight-embedding-js-sdk.min.js"

func parseFlags(args []string, stderr io.Writer) (*settings, error) {
	var s settings
	set := flag.NewFlagSet("webapp", flag.ContinueOnError)
	set.SetOutput(stderr)
	set.StringVar(&s.addr, "addr", "localhost:8080", "`address` to serve the page on")
	set.StringVar(&s.origin, "origin", "", "`origin` of the page as browsers see it, such as https://app.example.com behind a proxy (default http:// and the address)")
	set.StringVar(&s.localAddr, "quicksight-addr", "localhost:8443", "without -aws, `address` to serve QuickSight on")
	set.StringVar(&s.sdk, "sdk", sdkPath, "`file` of the embedding SDK")
	set.BoolVar(&s.aws, "aws", false, "ask AWS, with the credentials and settings of the AWS configuration; the password to sign in is that of the variable WEBAPP_PASSWORD")
	set.StringVar(&s.account, "account", "", "AWS account `id` (default "+demoAccount+", with -aws none)")
	set.StringVar(&s.identity, "identity", "registered", "`model` of who users are in QuickSight: registered users, or a role session for each")
	set.StringVar(&s.roleARN, "role-arn", "", "with -identity role, `ARN` of the role to assume (default "+demoRole+", with -aws none)")
	set.StringVar(&s.namespace, "namespace", "default", "with -identity registered, QuickSight `namespace` of the users")
	set.StringVar(&s.dashboard, "dashboard", "", "`id` of the dashboard in the menu (default "+demoDashboard+", with -aws none)")
	set.StringVar(&s.consoleOrigin, "console-origin", "", "`origin` of the QuickSight console (default that of the region)")
	set.Int64Var(&s.minutes, "lifetime", 0, "`minutes` that a console session lasts, 15 to 600 (default QuickSight's, 600)")
	set.Func("user", "`name` of a user who may sign in; can be given more than once (default jane, mateo and noor, with -aws none)", func(name string) error {
		s.users = append(s.users, name)
		return nil
	})
	if err := set.Parse(args); err != nil {
		return nil, err
	}
	s.setDefaults()
	if err := s.check(set.Args()); err != nil {
		fmt.Fprintln(stderr, err)
		return nil, err
	}
	return &s, nil
}

func (s *settings) setDefaults() {
	if s.minutes != 0 {
		s.lifetimeInMinutes = &s.minutes
	}
	if s.aws {
		s.password = os.Getenv("WEBAPP_PASSWORD")
		return
	}
	s.password = demoPassword
	for setting, value := range map[*string]string{&s.account: demoAccount, &s.roleARN: demoRole, &s.dashboard: demoDashboard} {
		if *setting == "" {
			*setting = value
		}
	}
	if len(s.users) == 0 {
		s.users = []string{"jane", "mateo", "noor"}
	}
}

// check refuses what would make every request fail.
func (s *settings) check(arguments []string) error {
	in := quicksightembed.GetSessionEmbedUrlInput{AwsAccountId: &s.account, SessionLifetimeInMinutes: s.lifetimeInMinutes}
	if s.dashboard != "" {
		in.EntryPoint = aws.String(quicksightembed.DashboardEntryPoint(s.dashboard))
	}
	if err := in.Validate(); err != nil {
		return fmt.Errorf("-account, -dashboard or -lifetime: %w", err)
	}
	const shortestPassword = 12
	switch {
	case len(arguments) > 0:
		return fmt.Errorf("unexpected argument %q", arguments[0])
	case s.identity != "registered" && s.identity != "role":
		return fmt.Errorf("-identity %q must be registered or role", s.identity)
	case s.identity == "role" && s.roleARN == "":
		return errors.New("-identity role needs -role-arn")
	case s.roleARN != "" && !roleARN.MatchString(s.roleARN):
		return fmt.Errorf("-role-arn %q must be arn:{partition}:iam::{account}:role/{name}", s.roleARN)
	case len(s.users) == 0:
		return errors.New("-aws needs a -user, or more than one: who may sign in")
	case s.aws && len(s.password) < shortestPassword:
		return fmt.Errorf("-aws needs the variable WEBAPP_PASSWORD, of at least %d characters: the password to sign in with", shortestPassword)
	case s.origin != "" && !isOrigin(s.origin):
		return fmt.Errorf("-origin %q must be http:// or https:// and a host", s.origin)
	case s.consoleOrigin != "" && (!isOrigin(s.consoleOrigin) || !s.aws):
		return fmt.Errorf("-console-origin %q must be https:// and a host, and goes with -aws", s.consoleOrigin)
	}
	for _, user := range s.users {
		if s.identity == "role" && !roleSessionName.MatchString(user) {
			return fmt.Errorf("-user %q cannot name a role session: it must be 2 to 64 letters, digits or _+=,.@-", user)
		}
	}
	return nil
}

func isOrigin(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.Scheme+"://"+u.Host == text && !strings.ContainsAny(text, "; '\"*")
}

// onLocalhost returns the host and port that a browser on this machine reaches a listener at, by the name that was asked for.
func onLocalhost(asked string, listener net.Listener) string {
	host, _, _ := net.SplitHostPort(asked)
	if ip := net.ParseIP(host); host == "" || ip != nil && (ip.IsLoopback() || ip.IsUnspecified()) {
		host = "localhost"
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	return net.JoinHostPort(host, port)
}
