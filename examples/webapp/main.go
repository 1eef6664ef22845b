// Webapp is a web backend with a page that embeds the QuickSight console, good enough to start a product from. It needs no AWS
// account: it asks embedtest, a QuickSight in this process, unless told otherwise.
package main

import (
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
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
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
	s, err := parseFlags(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		return exitBadInput // it has been said why
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
		s.origin = "http://" + onLocalhost(s.addr, listener)
	}
	cfg, stop, err := quickSight(ctx, s, log)
	if err != nil {
		return err
	}
	defer stop()

	handler := newApp(s, cfg, sdk, log)
	fmt.Fprintf(stdout, "The page:    %s\n", s.origin)
	if !s.aws {
		fmt.Fprintf(stdout, "QuickSight:  %s (embedtest, in this process; your browser will ask you to accept its certificate, once)\n", s.consoleOrigin)
		fmt.Fprintf(stdout, "Sign in as jane or mateo, with the password %q. noor is not registered in QuickSight.\n", demoPassword)
	}
	return serve(ctx, listener, handler, log)
}

// quickSight returns the configuration to call with: that of AWS, or of a QuickSight in this process, which stop ends.
func quickSight(ctx context.Context, s *settings, log *slog.Logger) (cfg aws.Config, stop func(), err error) {
	if !s.aws {
		return startLocal(s, log)
	}
	cfg, err = config.LoadDefaultConfig(ctx)
	if err != nil {
		return cfg, nil, fmt.Errorf("no AWS configuration: %w", err)
	}
	if cfg.Region == "" {
		return cfg, nil, errors.New("no region: set AWS_REGION, or region in the shared config file")
	}
	if s.consoleOrigin == "" {
		s.consoleOrigin = consoleOrigin(cfg.Region)
	}
	return cfg, func() {}, nil
}

// serve answers requests until the context ends, and then those that it has begun.
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
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	log.Info("stopping")
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		server.Close()
		return fmt.Errorf("some requests were broken off: %w", err)
	}
	return nil
}
