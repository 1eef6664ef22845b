package embedtest

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/quicksightembed"
)

func TestSessionsForgetTheOldest(t *testing.T) {
	s := newSessions(time.Now, nil)
	var urls []*url.URL
	for range maxSessions + 1 {
		u, err := url.Parse(s.issue(&quicksightembed.GetSessionEmbedUrlInput{}))
		require.NoError(t, err)
		urls = append(urls, u)
	}
	assert.Len(t, s.byID, maxSessions)
	_, status, _ := s.open(urls[0], false)
	assert.Equal(t, http.StatusNotFound, status)
	_, status, _ = s.open(urls[1], false)
	assert.Equal(t, http.StatusOK, status)
}
