package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"

	"example.com/quicksightembed"
)

// settings are the values of the flags.
type settings struct {
	addr, origin string
	insecure     bool
	sdk          string

	account                   string
	identity                  string // registered or role
	identityRegion, namespace string
	roleARN                   string
	dashboard, dashboardName  string
	minutes                   int64 // 0: as long as a session can last

	isAWS bool
	aws   awsSettings
	demo  demoSettings
}

// awsSettings are the settings of the program with -aws.
type awsSettings struct {
	userHeader, signOutURL, consoleOrigin string
}

const sdkPath = "node_modules/amazon-quicksight-embedding-sdk/dist/quicksight-embedding-js-sdk.min.js"

func parseFlags(args []string, stderr io.Writer) (*settings, error) {
	s := &settings{}
	set := flag.NewFlagSet("webapp", flag.ContinueOnError)
	set.SetOutput(io.Discard) // errors are printed once, without the list of flags
	set.StringVar(&s.addr, "addr", "localhost:8080", "`address` to serve the page on")
	set.StringVar(&s.origin, "origin", "", "`origin` of the page as browsers see it, such as https://app.example.com behind a proxy (default http:// and the address)")
	set.BoolVar(&s.insecure, "insecure", false, "serve plain HTTP beyond this machine, where anybody on the way can read it")
	set.StringVar(&s.sdk, "sdk", sdkPath, "`file` of the embedding SDK")

	set.StringVar(&s.account, "account", "", "AWS account `id` (default "+demoAccount+", with -aws none)")
	set.StringVar(&s.identity, "identity", "registered", "`model` of who users are in QuickSight: registered users, or a role session for each")
	set.StringVar(&s.identityRegion, "identity-region", "", "with -identity registered, `region` in which the account's users live, the one in the ARN that DescribeUser returns (default the region of the calls)")
	set.StringVar(&s.namespace, "namespace", "default", "with -identity registered, QuickSight `namespace` of the users")
	set.StringVar(&s.roleARN, "role-arn", "", "with -identity role, `ARN` of the role to assume (default "+demoRole+", with -aws none)")
	set.StringVar(&s.dashboard, "dashboard", "", "`id` of the dashboard in the menu (default "+demoDashboard+", with -aws none)")
	set.StringVar(&s.dashboardName, "dashboard-name", "", "`name` of the dashboard in the menu (default its id)")
	set.Int64Var(&s.minutes, "lifetime", 0, "`minutes` that a console session lasts, 15 to 600 (default as long as the user is signed in here, at most 600)")

	set.BoolVar(&s.isAWS, "aws", false, "ask AWS, with the credentials and settings of the AWS configuration; needs -account and -user-header")
	set.StringVar(&s.aws.userHeader, "user-header", "", "with -aws, `header` in which an authenticating proxy names the user, such as X-Auth-Request-User; nothing else must reach this server")
	set.StringVar(&s.aws.signOutURL, "sign-out-url", "", "with -aws, `path` of the proxy that signs out, such as /oauth2/sign_out (default no button)")
	set.StringVar(&s.aws.consoleOrigin, "console-origin", "", "with -aws, `origin` of the QuickSight console (default that of the region)")
	set.StringVar(&s.demo.quickSightAddr, "quicksight-addr", "localhost:8443", "without -aws, `address` to serve QuickSight on")
	set.Func("user", "without -aws, `name` of a user who may sign in; can be given more than once (default jane, mateo and noor)", func(name string) error {
		s.demo.users = append(s.demo.users, name)
		return nil
	})
	err := set.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		set.SetOutput(stderr)
		set.PrintDefaults()
	}
	if err == nil && set.NArg() > 0 {
		err = fmt.Errorf("unexpected argument %q", set.Arg(0))
	}
	if !s.isAWS {
		s.demo.setDefaults(s)
	}
	s.dashboardName = cmp.Or(s.dashboardName, s.dashboard)
	if err == nil {
		err = s.check()
	}
	return s, err
}

// check refuses settings with which every request would fail, and those that only look safe.
func (s *settings) check() (err error) {
	refuse := func(isWrong bool, format string, args ...any) {
		if isWrong && err == nil {
			err = fmt.Errorf(format, args...)
		}
	}
	host, _, addrErr := net.SplitHostPort(s.addr)
	isLocal := host == "localhost" || net.ParseIP(host).IsLoopback()
	refuse(addrErr != nil, "-addr %q must be host:port", s.addr)
	refuse(!isLocal && s.origin == "", "-addr %q is reached from other machines: give the -origin of the page", s.addr)
	refuse(s.origin != "" && !origin.MatchString(s.origin), "-origin %q must be http:// or https:// and a host", s.origin)
	refuse(!isLocal && strings.HasPrefix(s.origin, "http://") && !s.insecure,
		"-origin %q is plain HTTP: put a proxy with HTTPS in front and give its origin, or say -insecure", s.origin)
	refuse(!namespace.MatchString(s.namespace), "-namespace %q must be 1 to 64 letters, digits or ._-", s.namespace)
	inputErr := s.checkInput("jane")
	refuse(inputErr != nil, "-account, -dashboard, -lifetime or -identity-region: %w", inputErr)
	refuse(s.identity != "registered" && s.identity != "role", "-identity %q must be registered or role", s.identity)
	refuse(s.identity == "role" && !roleARN.MatchString(s.roleARN), "-role-arn %q must be arn:{partition}:iam::{account}:role/{name}", s.roleARN)
	refuse(s.isAWS && s.aws.userHeader == "", "-aws needs -user-header: the header in which your authenticating proxy names the user")
	refuse(!s.isAWS && s.aws != awsSettings{}, "-user-header, -sign-out-url and -console-origin go with -aws")
	refuse(s.aws.consoleOrigin != "" && !origin.MatchString(s.aws.consoleOrigin), "-console-origin %q must be https:// and a host", s.aws.consoleOrigin)
	refuse(s.isAWS && len(s.demo.users) > 0, "-user goes without -aws, where the proxy says who may sign in")
	refuse(sessionKey() != "" && len(sessionKey()) < shortestKey, "the variable WEBAPP_SESSION_KEY must have at least %d characters", shortestKey)
	for _, user := range s.demo.users {
		userErr := s.checkInput(user)
		refuse(userErr != nil, "-user %q: %w", user, userErr)
		refuse(s.identity == "role" && !roleSessionName.MatchString(user), "-user %q cannot name a role session: it must be 2 to 64 letters, digits or _+=,.@-", user)
	}
	return err
}

// checkInput applies the client's rules to the input of calls for a user.
func (s *settings) checkInput(user string) error {
	in := quicksightembed.GetSessionEmbedUrlInput{AwsAccountId: &s.account}
	registeredUsers{region: cmp.Or(s.identityRegion, demoRegion), account: s.account, namespace: s.namespace}.apply(user, &in)
	if s.dashboard != "" {
		in.EntryPoint = aws.String(quicksightembed.DashboardEntryPoint(s.dashboard))
	}
	if s.minutes != 0 {
		in.SessionLifetimeInMinutes = &s.minutes
	}
	return in.Validate()
}

var (
	origin    = regexp.MustCompile(`^https?://[A-Za-z0-9.-]+(:\d+)?$`)
	namespace = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)
	roleARN   = regexp.MustCompile(`^arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+$`)

	roleSessionName = regexp.MustCompile(`^[\w+=,.@-]{2,64}$`)
)

// onLocalhost returns the host and port by which a browser on this machine reaches a listener.
func onLocalhost(listener net.Listener) string {
	return fmt.Sprintf("localhost:%d", listener.Addr().(*net.TCPAddr).Port)
}

// quickSight is the QuickSight that the page embeds.
type quickSight struct {
	cfg           aws.Config
	consoleOrigin string
	stop          func()
}

func (s *settings) quickSight(ctx context.Context, log *slog.Logger) (quickSight, error) {
	if !s.isAWS {
		return s.demo.start(s, log)
	}
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return quickSight{}, fmt.Errorf("no AWS configuration: %w", err)
	}
	if cfg.Region == "" {
		return quickSight{}, errors.New("no region: set AWS_REGION, or region in the shared config file")
	}
	return quickSight{cfg: cfg, consoleOrigin: cmp.Or(s.aws.consoleOrigin, consoleOrigin(cfg.Region)), stop: func() {}}, nil
}

// sessionKey returns the key in the environment that signs sessions, or "" if there is none. With
// it, people stay signed in after a restart and in a second process.
func sessionKey() string { return os.Getenv("WEBAPP_SESSION_KEY") }
