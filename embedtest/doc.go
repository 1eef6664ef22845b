// Package embedtest is an in-process QuickSight for tests and demos: an HTTP server on loopback
// that answers GetSessionEmbedUrl as the service does. It verifies each request's signature with
// its own implementation, applies the service's rules, answers with the service's codes and
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
// document its codes for this: these are the codes of other AWS services, and are not yet verified
// against QuickSight.
//
// A request that is signed correctly gets an exception if its input or the server's state calls for
// one:
//
//	AccessDeniedException 403                      an action of Options.Denied
//	InvalidParameterValueException 400             input that breaks a rule
//	SessionLifetimeInMinutesInvalidException 400   a lifetime outside 15 to 600 minutes
//	AccessDeniedException 401                      another account than Options.AwsAccountId
//	ResourceNotFoundException 404                  no subscription, dashboard or analysis
//	UnsupportedUserEditionException 403            an edition that is not Enterprise
//	QuickSightUserNotFoundException 404            a user who is not registered
//
// Otherwise it gets a URL. Other operations get UnknownOperationException (404). A body of more
// than 64 KiB gets RequestEntityTooLargeException (413). A test injects all other answers and all
// network failures, each as a [Fault].
//
// A GET of the URL answers 200 once, with a placeholder page for the console that
// amazon-quicksight-embedding-sdk accepts. A second GET, or one after 5 minutes, answers 410. A
// HEAD does not use the URL up. The server keeps the last 1,000 requests, 1,000 openings, 10,000
// URLs and 10,000 role sessions.
//
// It also answers AssumeRole of STS, for users who have role sessions: see Options.Roles.
package embedtest
