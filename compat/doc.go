// Package compat holds what needs a peer of quicksightembed: the official client, the AWS CLI and the SDK for JavaScript. It
// is a module of its own, so that what it needs does not weigh on the library.
package compat
