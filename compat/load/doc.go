// Package load tests that calls end in time, that retries do not make an outage worse, and that
// many calls at once are all answered, each for its own user.
package load
