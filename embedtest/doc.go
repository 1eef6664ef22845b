// Package embedtest is an in-process QuickSight for tests and demos: an HTTP server on loopback
// that does what the service does for GetSessionEmbedUrl. It verifies each request's signature
// with its own implementation, applies the service's rules, answers with the service's codes and
// statuses, and issues URLs that open once, within 5 minutes.
//
//	func TestHandler(t *testing.T) {
//		server := embedtest.New(t)
//		client := quicksightembed.NewFromConfig(server.Config())
//		…
//	}
//
// The official client, the AWS CLI and the SDKs of other languages can use it too: command
// quicksight-local runs it as a program.
//
// # What it answers
//
// A request that is signed wrongly gets IncompleteSignatureException (400), or
// MissingAuthenticationTokenException, InvalidSignatureException, UnrecognizedClientException or
// ExpiredTokenException (403), with a message that says what is wrong. QuickSight does not
// document its codes for this: these are those of other AWS services, and were not seen at
// QuickSight.
//
// A request that is signed correctly gets the exception that its input or the server's state calls
// for:
//
//	AccessDeniedException 403                      an action of Options.Denied
//	InvalidParameterValueException 400             input that breaks a rule
//	SessionLifetimeInMinutesInvalidException 400   a lifetime outside 15 to 600 minutes
//	AccessDeniedException 401                      another account than Options.AwsAccountId
//	ResourceNotFoundException 404                  no subscription, or no such dashboard or analysis
//	UnsupportedUserEditionException 403            an edition that is not an Enterprise edition
//	QuickSightUserNotFoundException 404            a user who is not registered
//
// and otherwise a URL. Another operation gets UnknownOperationException (404), a body of more than
// 64 KiB RequestEntityTooLargeException (413). Any other answer, and anything that goes wrong on
// the wire, is a [Fault] that a test injects.
//
// A GET of the URL answers 200 once, with a page that stands in for the console and that
// amazon-quicksight-embedding-sdk accepts; then 410, as after 5 minutes. A HEAD does not use the
// URL up. The server remembers the last 1,000 requests, 10,000 URLs and 10,000 role sessions.
//
// It is also an STS that answers AssumeRole, for users who sign in with roles: see Options.Roles.
package embedtest
