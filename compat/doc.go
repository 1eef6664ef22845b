// Package compat holds what needs more than the library does: the official client, the AWS CLI and
// the SDK for JavaScript beside it, OpenTelemetry, a browser, and tests of the API and the
// documents. It is a module of its own, so that what it needs does not weigh on the library.
package compat
