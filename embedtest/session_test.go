package embedtest

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"example.com/quicksightembed"
)

func TestSessionsForgetTheOldest(t *testing.T) {
	s := newSessions(time.Now, nil)
	var requests []*http.Request
	for range maxSessions + 1 {
		_, path := s.issue(&quicksightembed.GetSessionEmbedUrlInput{}, "")
		requests = append(requests, httptest.NewRequest(http.MethodGet, path, nil))
	}
	assert.Len(t, s.byID.values, maxSessions)
	_, status, _ := s.open(requests[0])
	assert.Equal(t, http.StatusNotFound, status)
	_, status, _ = s.open(requests[1])
	assert.Equal(t, http.StatusOK, status)
}
