package main

import (
	"fmt"
	"log/slog"
	"net"

	"github.com/aws/aws-sdk-go-v2/aws"

	"example.com/quicksightembed/embedtest"
)

// startLocal starts a QuickSight in this process, over TLS because the embedding SDK takes nothing else, where all users but
// noor are registered.
func startLocal(s *settings, log *slog.Logger) (cfg aws.Config, stop func(), err error) {
	listener, err := net.Listen("tcp", s.localAddr)
	if err != nil {
		return cfg, nil, fmt.Errorf("cannot listen for QuickSight: %w; choose another address with -quicksight-addr", err)
	}
	const region = "us-east-1"
	server := embedtest.NewTLSServer(func(o *embedtest.Options) {
		o.Listener = listener
		o.AwsAccountId, o.Region = s.account, region
		o.Roles = []string{s.roleARN}
		o.Users = []string{}
		for _, user := range s.users {
			if user != "noor" {
				o.Users = append(o.Users, registeredARN(region, s.account, s.namespace, user), roleSessionARN(region, s.roleARN, user))
			}
		}
		o.Dashboards = []string{s.dashboard}
		o.AllowedDomains = []string{s.origin}
		o.OnRequest = func(r embedtest.Request) { log.Info("QuickSight was asked", "request", r.String()) }
	})
	// By the name that its certificate and the page's address have in common, so that browsers take them for one site.
	s.consoleOrigin = "https://" + onLocalhost(s.localAddr, listener)
	cfg = server.Config()
	cfg.BaseEndpoint = aws.String(s.consoleOrigin)
	return cfg, server.Close, nil
}
