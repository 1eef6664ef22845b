package embedtest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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

func TestPauseIsLongerThanTheWriteTimeout(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		pause(w, r, 100*time.Millisecond)
		w.Write([]byte("in the end"))
	}))
	server.Config.WriteTimeout = 50 * time.Millisecond
	server.Start()
	defer server.Close()
	resp, err := server.Client().Get(server.URL)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.Equal(t, "in the end", string(body))
}
