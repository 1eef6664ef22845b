// Webapp is a web backend with a page that embeds the QuickSight console. It needs no AWS account:
// it asks embedtest, a QuickSight in this process, unless -aws is set. See README.md.
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
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sts"

	"example.com/quicksightembed"
)

const exitError, exitBadInput = 1, 2

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) (exitCode int) {
	s, err := parseFlags(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintf(stderr, "%v\n-h lists the flags\n", err)
		return exitBadInput
	}
	if err := start(ctx, s, stdout, slog.New(slog.NewTextHandler(stderr, nil))); err != nil {
		fmt.Fprintln(stderr, err)
		return exitError
	}
	return 0
}

// start serves the page until the context ends.
func start(ctx context.Context, s *settings, stdout io.Writer, log *slog.Logger) error {
	sdk, err := os.ReadFile(s.sdk)
	if err != nil {
		return fmt.Errorf("the embedding SDK is missing: %w\nIn examples/webapp, run: npm ci", err)
	}
	listener, err := net.Listen("tcp", s.addr)
	if err != nil {
		return fmt.Errorf("cannot listen for the page: %w; choose another address with -addr", err)
	}
	defer listener.Close()
	if s.origin == "" {
		s.origin = "http://" + onLocalhost(listener)
	}
	q, err := s.quickSight(ctx, log)
	if err != nil {
		return err
	}
	defer q.stop()
	fmt.Fprintf(stdout, "The page:    %s\n", s.origin)
	if !s.isAWS {
		fmt.Fprintf(stdout, "QuickSight:  %s (embedtest; your browser asks you to accept its certificate, once)\n"+
			"Sign in as %s, with the password %q.\n", q.consoleOrigin, strings.Join(s.demo.users, " or "), demoPassword)
	}
	return serve(ctx, listener, newHandler(s, q, sdk, log), log)
}

// newHandler combines the parts. Each works without the others.
func newHandler(s *settings, q quickSight, sdk []byte, log *slog.Logger) http.Handler {
	var users identity = registeredUsers{region: cmp.Or(s.identityRegion, q.cfg.Region), account: s.account, namespace: s.namespace}
	if s.identity == "role" {
		users = newRoleUsers(sts.NewFromConfig(q.cfg), s.roleARN)
	}
	mux := http.NewServeMux()
	places := placesWith(s.dashboard, s.dashboardName)
	p := &page{who: proxySignIn{header: s.aws.userHeader}, places: places, consoleOrigin: q.consoleOrigin, demoUsers: s.demo.users, signOutURL: s.aws.signOutURL, log: log}
	if !s.isAWS {
		demo := newDemoSignIn(s, users.forget, log)
		mux.HandleFunc("POST /api/sign-in", demo.signIn)
		mux.HandleFunc("POST /api/sign-out", demo.signOut)
		mux.HandleFunc("GET /sign-in", p.signIn)
		p.who = demo
	}
	mux.Handle("POST /api/console-url", &consoleURL{
		client: quicksightembed.NewFromConfig(q.cfg, withRetries), account: s.account, minutes: s.minutes,
		places: places, who: p.who, users: users, limit: newLimiter(2*time.Second, 30), now: time.Now, log: log,
	})
	mux.HandleFunc("GET /{$}", p.console)
	addAssets(mux, sdk)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok\n") })
	return withSecurity(s.origin, q.consoleOrigin, log, mux)
}

// serve answers requests until the context ends, and then completes those in progress.
func serve(ctx context.Context, listener net.Listener, handler http.Handler, log *slog.Logger) error {
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      callTimeout + 10*time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	stopped := make(chan error, 1)
	context.AfterFunc(ctx, func() {
		log.Info("stopping")
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
		defer cancel()
		stopped <- server.Shutdown(ctx)
	})
	if err := server.Serve(listener); err != http.ErrServerClosed {
		return err
	}
	if err := <-stopped; err != nil {
		server.Close()
		return fmt.Errorf("some requests were broken off: %w", err)
	}
	return nil
}
