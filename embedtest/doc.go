// Package embedtest is a QuickSight in the process: an HTTP server on loopback that does for GetSessionEmbedUrl what the
// service does. It verifies each request's signature with an implementation of its own, applies the service's rules, answers
// with the service's codes and statuses, and issues URLs that open once within 5 minutes.
//
//	srv := embedtest.NewServer()
//	defer srv.Close()
//	client := quicksightembed.NewFromConfig(srv.Config())
//
// The official client, the AWS CLI and the SDKs of other languages can use it too: it speaks HTTP.
//
// # What it answers
//
// A request that is signed wrongly gets IncompleteSignatureException (400), or MissingAuthenticationTokenException,
// InvalidSignatureException, UnrecognizedClientException or ExpiredTokenException (403), with a message that says what is
// wrong. QuickSight's own codes for this are not documented: these are those of other AWS front ends, and have not been
// verified against QuickSight itself.
//
// A request that is signed right gets the exception that its input or the server's state calls for:
//
//	InvalidParameterValueException 400             input that breaks a rule
//	SessionLifetimeInMinutesInvalidException 400   a lifetime outside 15 to 600 minutes
//	AccessDeniedException 401                      another account than Options.AwsAccountId
//	UnsupportedUserEditionException 403            Options.Edition is not an Enterprise edition
//	QuickSightUserNotFoundException 404            a user who is not in Options.Users
//	ResourceNotFoundException 404                  no subscription, or a dashboard or analysis that is not in Options
//
// and otherwise a URL. Another operation gets UnknownOperationException (404), a body of more than 64 KiB
// RequestEntityTooLargeException (413). Any other answer, such as ThrottlingException, InternalFailureException or
// ResourceExistsException, and anything that goes wrong on the wire, is a [Fault] that a test injects.
//
// A GET of the URL answers 200 once, with a page that stands in for the console, and that amazon-quicksight-embedding-sdk takes
// for it; then 410, as after 5 minutes. A HEAD does not use the URL up. It remembers the last 1,000 requests, 10,000 URLs and
// 10,000 role sessions.
//
// It is also an STS that answers AssumeRole, for users who sign in with roles: see Options.Roles.
//
// # Tests that are fast
//
// A client waits before it tries again, and for a service that is silent, as long as with AWS. Shorten both in the tests of code
// that takes an aws.Config:
//
//	cfg := srv.Config()
//	cfg.Retryer = func() aws.Retryer {
//		return retry.NewStandard(func(o *retry.StandardOptions) { o.MaxBackoff = time.Millisecond })
//	}
//	client := quicksightembed.NewFromConfig(cfg, func(o *quicksightembed.Options) { o.AttemptTimeout = 100 * time.Millisecond })
package embedtest
