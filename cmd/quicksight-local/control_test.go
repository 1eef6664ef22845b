package main

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// send sends a request to the control API at url and returns its reply.
func send(t *testing.T, url, method, path, body string, header ...string) (status int, reply map[string]any) {
	t.Helper()
	req, err := http.NewRequest(method, url+path, strings.NewReader(body))
	require.NoError(t, err)
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			req.Host = header[i+1]
		}
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(page, &reply), string(page))
	return resp.StatusCode, reply
}

func startControlled(t *testing.T) (controlURL string) {
	t.Helper()
	printed, stop := serve(t, "-json")
	t.Cleanup(func() { stop() })
	var start struct {
		ControlUrl  string
		Environment map[string]string
	}
	require.NoError(t, json.Unmarshal([]byte(printed), &start))
	for name, value := range start.Environment {
		t.Setenv(name, value)
	}
	return start.ControlUrl
}

func TestControl(t *testing.T) {
	url := startControlled(t)
	status, reply := send(t, url, "GET", "health", "")
	assert.Equal(t, 200, status)
	assert.Equal(t, "ok", reply["status"])

	status, reply = send(t, url, "POST", "faults", `{"fault":"Throttle","user":"`+jane+`","times":2}`)
	assert.Equal(t, 200, status)
	assert.Equal(t, map[string]any{"id": 1.0}, reply)
	_, err := ask(t, jane)
	assert.ErrorContains(t, err, "ThrottlingException")
	_, err = ask(t, jane+"2")
	assert.NoError(t, err)
	_, reply = send(t, url, "GET", "faults", "")
	assert.Equal(t, map[string]any{"faults": []any{map[string]any{"id": 1.0, "name": "Throttle", "times": 2.0, "happened": 1.0}}}, reply)
	_, reply = send(t, url, "DELETE", "faults/1", "")
	assert.Equal(t, map[string]any{"removed": 1.0}, reply)
	_, err = ask(t, jane)
	assert.NoError(t, err)

	_, reply = send(t, url, "GET", "requests", "")
	assert.Equal(t, 3.0, reply["count"])
	requests := reply["requests"].([]any)
	require.Len(t, requests, 3)
	first := requests[0].(map[string]any)
	assert.Equal(t, "Throttle", first["fault"])
	assert.Equal(t, jane, first["userArn"])
	assert.NotContains(t, first, "Header")

	_, reply = send(t, url, "POST", "clock", `{"advance":"6m"}`)
	now, err := time.Parse(time.RFC3339, reply["now"].(string))
	require.NoError(t, err)
	assert.WithinDuration(t, time.Now().Add(6*time.Minute), now, time.Minute)

	send(t, url, "POST", "faults", `{"fault":"Reset","always":true}`)
	status, _ = send(t, url, "POST", "reset", "")
	assert.Equal(t, 200, status)
	_, reply = send(t, url, "GET", "requests", "")
	assert.Equal(t, map[string]any{"count": 0.0, "requests": []any{}}, reply)
	_, reply = send(t, url, "DELETE", "faults", "")
	assert.Equal(t, map[string]any{"removed": 0.0}, reply)
}

func TestControlMakesEachFault(t *testing.T) {
	url := startControlled(t)
	for _, body := range []string{
		`{"fault":"Delay","duration":"1ms"}`,
		`{"fault":"Fail","code":"ResourceExistsException","accessKey":"AKIAIOSFODNN7EXAMPLE"}`,
		`{"fault":"RateLimit","requests":1,"duration":"1h"}`,
		`{"fault":"Redirect","status":307,"location":"https://elsewhere.example/"}`,
		`{"fault":"Reply","status":502,"header":{"Content-Type":["text/html"]},"body":"<html>"}`,
		`{"fault":"Reset"}`, `{"fault":"ResetInReply"}`, `{"fault":"SkewedClock","duration":"1h"}`, `{"fault":"Stall"}`,
		`{"fault":"StallInBody"}`, `{"fault":"Status","status":503,"beforeSignature":true}`, `{"fault":"Throttle"}`, `{"fault":"Truncate"}`,
		`{"fault":"WrongContentLength"}`, `{"fault":"Fail","code":"AccessDenied","operation":"AssumeRole"}`,
	} {
		status, reply := send(t, url, "POST", "faults", body)
		assert.Equal(t, 200, status, "%s: %v", body, reply)
	}
	_, reply := send(t, url, "GET", "faults", "")
	assert.Len(t, reply["faults"], 15)
}

func TestControlRefuses(t *testing.T) {
	url := startControlled(t)
	for name, test := range map[string]struct {
		method, path, body string
		header             []string
		status             int
		want               string
	}{
		"a foreign host":      {"GET", "requests", "", []string{"Host", "attacker.example"}, 403, `the Host of requests to /_embedtest/ must be localhost, 127.0.0.1 or [::1], not "attacker.example"`},
		"a foreign origin":    {"POST", "reset", "", []string{"Origin", "https://attacker.example"}, 403, "must not come from a web page"},
		"an opaque origin":    {"POST", "reset", "", []string{"Origin", "null"}, 403, "must not come from a web page"},
		"an image of a page":  {"GET", "requests", "", []string{"Sec-Fetch-Site", "cross-site"}, 403, "must not come from a web page"},
		"another path":        {"GET", "users", "", nil, 404, `GET /_embedtest/users is not one of ["DELETE faults" "DELETE faults/{id}" "GET faults" "GET health"`},
		"another method":      {"PUT", "clock", "", nil, 404, "PUT /_embedtest/clock is not one of"},
		"no JSON":             {"POST", "clock", "6m", nil, 400, "the body must be a JSON object: "},
		"no body":             {"POST", "clock", "", nil, 400, "the body must be a JSON object: "},
		"two objects":         {"POST", "clock", `{"advance":"6m"}{}`, nil, 400, "the body must be one JSON object"},
		"a long body":         {"POST", "clock", `{"advance":"` + strings.Repeat("0", 70000) + `"}`, nil, 400, "http: request body too large"},
		"an unknown member":   {"POST", "clock", `{"advanced":"6m"}`, nil, 400, `unknown field "advanced"`},
		"no time":             {"POST", "clock", `{}`, nil, 400, `"advance" must be a time such as "6m"`},
		"a time that is none": {"POST", "clock", `{"advance":"soon"}`, nil, 400, `invalid duration "soon"`},
		"an unknown fault":    {"POST", "faults", `{"fault":"Throtle"}`, nil, 400, `fault "Throtle" must be one of ["Delay" "Fail"`},
		"an unknown code":     {"POST", "faults", `{"fault":"Fail","code":"X"}`, nil, 400, `error code "X" must be one of`},
		"a status":            {"POST", "faults", `{"fault":"Status","status":200}`, nil, 400, "it must be 400 to 599"},
		"an operation":        {"POST", "faults", `{"fault":"Throttle","operation":"X"}`, nil, 400, `operation "X" must be GetSessionEmbedUrl or AssumeRole`},
		"a user":              {"POST", "faults", `{"fault":"Throttle","user":"jane"}`, nil, 400, `UserArn "jane" must be arn:`},
		"a number of times":   {"POST", "faults", `{"fault":"Throttle","times":-1}`, nil, 400, "it must be 1 or more"},
		"an ID":               {"DELETE", "faults/x", "", nil, 400, `fault ID "x" must be a number`},
	} {
		t.Run(name, func(t *testing.T) {
			status, reply := send(t, url, test.method, test.path, test.body, test.header...)
			assert.Equal(t, test.status, status)
			assert.Contains(t, reply["error"], test.want)
		})
	}
}

func TestControlIsForThisMachine(t *testing.T) {
	req, err := http.NewRequest("GET", "http://localhost/_embedtest/health", nil)
	require.NoError(t, err)
	for peer, refused := range map[string]bool{"127.0.0.1:1": false, "[::1]:1": false, "192.0.2.1:1": true, "": true} {
		req.RemoteAddr = peer
		assert.Equal(t, refused, refuseForeign(req) != nil, peer)
	}
}
