package main

import (
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"
)

// newCache returns a cache that keeps the 1,000 entries that were used last.
func newCache[V any]() *lru.Cache[string, V] {
	cache, _ := lru.New[string, V](1000) // fails only for a size below 1
	return cache
}

// limiter limits how often each key may do something: a burst, and then once in each interval.
type limiter struct {
	every time.Duration
	burst int
	byKey *lru.Cache[string, *rate.Limiter]
}

func newLimiter(every time.Duration, burst int) *limiter {
	return &limiter{every, burst, newCache[*rate.Limiter]()}
}

// allow reports whether all of the keys may do it once more.
func (l *limiter) allow(keys ...string) bool {
	allowed := true
	for _, key := range keys {
		l.byKey.ContainsOrAdd(key, rate.NewLimiter(rate.Every(l.every), l.burst))
		if limit, ok := l.byKey.Get(key); ok {
			allowed = limit.Allow() && allowed
		}
	}
	return allowed
}
