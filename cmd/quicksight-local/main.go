// Quicksight-local runs package embedtest, a QuickSight on loopback, as a program. Use it with the
// AWS CLI, the SDKs of other languages and front ends. It answers GetSessionEmbedUrl, and
// AssumeRole of STS, until it is interrupted, and logs each request with its answer. See README.md.
package main

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"

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
	s, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintf(stderr, "%v\nquicksight-local -h lists the flags\n", err)
		return exitBadInput
	}
	s.options.Listener, err = net.Listen("tcp", s.addr)
	if err != nil {
		fmt.Fprintln(stderr, "cannot listen:", err)
		return exitError
	}
	logged := logTo(stderr, s.json)
	control := &control{}
	s.options.Wrap = control.wrap
	s.options.OnRequest = func(r embedtest.Request) { logged(r) }
	server := embedtest.NewServer(func(o *embedtest.Options) { *o = s.options })
	defer server.Close()
	control.server.Store(server)
	if s.options.TLS {
		s.certificateFile, err = writeCertificate(server)
		if err != nil {
			fmt.Fprintln(stderr, "cannot write the certificate:", err)
			return exitError
		}
		defer os.Remove(s.certificateFile)
	}
	if s.json {
		s.printJSON(stdout, server)
	} else {
		s.printUsage(stdout, server)
	}

	<-ctx.Done()
	logged("stopped")
	return 0
}

// logTo returns a function that logs a request or a word as a line of text or JSON.
func logTo(w io.Writer, asJSON bool) func(any) {
	if !asJSON {
		logger := log.New(w, "", log.LstdFlags)
		return func(what any) { logger.Println(what) }
	}
	logger := slog.New(slog.NewJSONHandler(w, nil))
	return func(what any) {
		if request, ok := what.(embedtest.Request); ok {
			logger.Info("request", "request", request)
			return
		}
		logger.Info(fmt.Sprint(what))
	}
}

// writeCertificate writes the server's certificate to a file, for clients to trust.
func writeCertificate(server *embedtest.Server) (name string, err error) {
	file, err := os.CreateTemp("", "quicksight-local-*.pem")
	if err != nil {
		return "", err
	}
	defer file.Close()
	return file.Name(), pem.Encode(file, &pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
}

// variable is an environment variable that points SDKs to the server.
type variable struct{ name, value string }

func (s *settings) variables(server *embedtest.Server) []variable {
	o := &s.options
	variables := []variable{
		{"AWS_ENDPOINT_URL_QUICKSIGHT", server.URL},
		{"AWS_ENDPOINT_URL_STS", server.URL},
		{"AWS_REGION", o.Region},
		{"AWS_DEFAULT_REGION", o.Region}, // for the AWS CLI and Python
		{"AWS_ACCESS_KEY_ID", o.Credentials.AccessKeyID},
		{"AWS_SECRET_ACCESS_KEY", o.Credentials.SecretAccessKey},
	}
	if o.Credentials.SessionToken != "" {
		variables = append(variables, variable{"AWS_SESSION_TOKEN", o.Credentials.SessionToken})
	}
	if s.certificateFile != "" {
		variables = append(variables, variable{"AWS_CA_BUNDLE", s.certificateFile}, variable{"NODE_EXTRA_CA_CERTS", s.certificateFile})
	}
	return variables
}

// printUsage prints how clients reach the server.
func (s *settings) printUsage(w io.Writer, server *embedtest.Server) {
	o := &s.options
	fmt.Fprintf(w, "QuickSight is served at %s\n\nFor SDKs, and the AWS CLI from 2.13 on:\n", server.URL)
	for _, v := range s.variables(server) {
		fmt.Fprintf(w, "  export %s=%s\n", v.name, quote(v.value))
	}
	user := "arn:aws:quicksight:" + o.Region + ":" + o.AwsAccountId + ":user/default/jane"
	if len(o.Users) > 0 {
		user = o.Users[0]
	}
	fmt.Fprintf(w, "\nFor any AWS CLI, with these variables:\n  aws quicksight get-session-embed-url --endpoint-url %s --region %s --aws-account-id %s --entry-point /start --user-arn %s\n\n",
		quote(server.URL), quote(o.Region), o.AwsAccountId, quote(user))
	fmt.Fprint(w, "Older SDKs (boto3 before 1.28, JavaScript v2, Go v1) ignore AWS_ENDPOINT_URL_QUICKSIGHT and\n"+
		"AWS_ENDPOINT_URL_STS, and ask the real AWS: give them the endpoint in code.\n")
	if len(o.AllowedDomains) == 0 {
		fmt.Fprint(w, "To show the console in a frame, give the origin of the page with -domain.\n")
	}
	fmt.Fprint(w, "To stop it, press Ctrl-C.\n")
}

// printJSON prints the same in one line of JSON.
func (s *settings) printJSON(w io.Writer, server *embedtest.Server) {
	environment := map[string]string{}
	for _, v := range s.variables(server) {
		environment[v.name] = v.value
	}
	o := &s.options
	json.NewEncoder(w).Encode(map[string]any{
		"url": server.URL, "publicUrl": o.PublicURL, "controlUrl": server.URL + controlPath,
		"awsAccountId": o.AwsAccountId, "region": o.Region, "accessKeyId": o.Credentials.AccessKeyID,
		"secretAccessKey": o.Credentials.SecretAccessKey, "sessionToken": o.Credentials.SessionToken,
		"certificateFile": s.certificateFile, "environment": environment,
	})
}

// quote quotes a word for a shell, if necessary.
func quote(word string) string {
	if strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=+@") == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
