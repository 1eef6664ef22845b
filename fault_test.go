package quicksightembed_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"example.com/quicksightembed"
)

// fault is something that goes wrong with a call. The server plays one step for each connection,
// and repeats the last.
type fault struct {
	name     string
	server   []step
	with     func(*testing.T, *scene)
	want     string
	status   int
	attempts int // signed ones
}

func faults() []fault {
	return []fault{
		{"nothing", []step{fine}, nil, aURL, 200, 1},

		{"refused once", []step{fine}, refusing(1), aURL, 200, 2},
		{"refused for good", []step{fine}, refusing(9), noReply, 0, 3},
		{"no such host", []step{fine}, named(3), noReply, 0, 1},
		{"a DNS server that fails once", []step{fine}, named(2, 0), aURL, 200, 2},
		{"a DNS server that fails", []step{fine}, named(2), noReply, 0, 3},
		{"a DNS server that is silent", []step{fine}, and(named(-1), impatient), attemptTimeout, 0, 3},

		{"TLS", []step{fine}, overTLS, aURL, 200, 1},
		{"an expired certificate", []step{fine}, over(func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Hour) }, sameConfig), noReply, 0, 3},
		{"a certificate of the future", []step{fine}, over(func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Minute) }, sameConfig), noReply, 0, 3},
		{"a certificate of another host", []step{fine}, over(func(c *x509.Certificate) { c.IPAddresses, c.DNSNames = nil, []string{"localhost"} }, sameConfig), noReply, 0, 3},
		{"a certificate of nobody known", []step{fine}, and(overTLS, func(_ *testing.T, s *scene) { s.transport.TLSClientConfig.RootCAs = x509.NewCertPool() }), noReply, 0, 3},
		{"TLS 1.1", []step{fine}, over(sameCert, func(c *tls.Config) { c.MaxVersion = tls.VersionTLS11 }), noReply, 0, 3},
		{"no TLS where there should be", []step{cut("HTTP/1.1 400 Bad Request\r\n\r\n")}, func(_ *testing.T, s *scene) {
			s.options.BaseEndpoint = aws.String("https://" + s.listener.Addr().String())
		}, noReply, 0, 3},
		{"a reset in the TLS handshake", []step{resetSoon}, overTLS, noReply, 0, 3},
		{"a reset in the TLS handshake, once", []step{resetSoon, fine}, overTLS, aURL, 200, 2},
		{"silence in the TLS handshake", []step{func(_ *scene, conn net.Conn) { io.Copy(io.Discard, conn.(*tls.Conn).NetConn()) }}, and(overTLS, impatient), attemptTimeout, 0, 3},

		{"a reset before the request", []step{resetSoon}, nil, noReply, 0, 3},
		{"a reset before the request, once", []step{resetSoon, fine}, nil, aURL, 200, 2},
		{"a reset before the headers", []step{reset1}, nil, noReply, 0, 3},
		{"a reset before the headers, once", []step{reset1, fine}, nil, aURL, 200, 2},
		{"a reset within the headers", []step{brokenAfter("HTTP/1.1 200 OK\r\nConte", nil)}, nil, noReply, 0, 3},
		{"a reset within the headers, once", []step{brokenAfter("HTTP/1.1 200 OK\r\nConte", nil), fine}, nil, aURL, 200, 2},
		{"a reset after the headers", []step{brokenAfter(withLength(200), theHeaders)}, nil, unreadable, 200, 3},
		{"a reset after the headers, once", []step{brokenAfter(withLength(200), theHeaders), fine}, nil, aURL, 200, 2},
		{"a reset in the body", []step{brokenAfter(withLength(200)+nativeReply[:50], theBody)}, nil, unreadable, 200, 3},
		{"a reset in the body, once", []step{brokenAfter(withLength(200)+nativeReply[:50], theBody), fine}, nil, aURL, 200, 2},
		{"an end before the headers", []step{hangUp}, nil, noReply, 0, 3},
		{"an end before the headers, once", []step{hangUp, fine}, nil, aURL, 200, 2},
		{"an end within the headers", []step{cut("HTTP/1.1 200 OK\r\nConte")}, nil, noReply, 0, 3},

		{"silence before the headers", []step{silence}, impatient, attemptTimeout, 0, 3},
		{"silence before the headers, once", []step{silence, fine}, slowed, aURL, 200, 2},
		{"silence in the status line", []step{raw("HTTP/1.1 2")}, impatient, attemptTimeout, 0, 3},
		{"silence in the headers", []step{raw("HTTP/1.1 200 OK\r\nConte")}, impatient, attemptTimeout, 0, 3},
		{"silence before the body", []step{raw(withLength(200))}, slowed, attemptTimeout, 200, 3},
		{"silence in the body", []step{raw(withLength(200) + nativeReply[:50])}, slowed, attemptTimeout, 200, 3},
		{"silence in the body, once", []step{raw(withLength(200) + nativeReply[:50]), fine}, slowed, aURL, 200, 2},
		{"silence in the body of a 500", []step{raw("HTTP/1.1 500 Oops\r\nContent-Length: 9\r\n\r\n{")}, slowed, attemptTimeout, 500, 3},
		{"headers that trickle", []step{slowly("HTTP/1.1 200 OK\r\nX-Slow: ")}, impatient, attemptTimeout, 0, 3},
		{"a body that trickles", []step{slowly(withLength(10000))}, slowed, attemptTimeout, 200, 3},

		{"a body that ends early", []step{cut(withLength(200) + nativeReply[:50])}, nil, unreadable, 200, 1},
		{"a body without length that ends early", []step{cut(ok200 + "\r\n" + nativeReply[:50])}, nil, unreadable, 200, 1},
		{"a body without length", []step{cut(ok200 + "\r\n" + nativeReply)}, nil, aURL, 200, 1},
		{"chunks", []step{raw(chunked + fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(nativeReply), nativeReply))}, nil, aURL, 200, 1},
		{"chunks without end", []step{cut(chunked + "5\r\n{\"Emb\r\n")}, nil, unreadable, 200, 1},
		{"a chunk of no size", []step{cut(chunked + "zz\r\n{\"Emb\r\n")}, nil, unreadable, 200, 1},
		{"a chunk of an absurd size", []step{cut(chunked + "ffffffffffffffff1\r\n{}\r\n")}, nil, unreadable, 200, 1},
		{"a trailer that is none", []step{cut(chunked + "2\r\n{}\r\n0\r\nno trailer\r\n\r\n")}, nil, unreadable, 200, 1},
		{"a Content-Length that is too small", []step{raw(withLength(50) + nativeReply)}, nil, unreadable, 200, 1},
		{"a Content-Length that is too large", []step{cut(withLength(len(nativeReply)+1) + nativeReply)}, nil, unreadable, 200, 1},
		{"a Content-Length of exabytes", []step{cut(withLength(int64(1)<<62) + nativeReply)}, nil, unreadable, 200, 1},
		{"a Content-Length that is negative", []step{raw(withLength(-1) + nativeReply)}, nil, noReply, 0, 3},
		{"a Content-Length that is none", []step{raw(withLength("many") + nativeReply)}, nil, noReply, 0, 3},
		{"two Content-Lengths", []step{raw(ok200 + "Content-Length: 5\r\nContent-Length: 6\r\n\r\n" + nativeReply)}, nil, noReply, 0, 3},
		{"an unknown transfer encoding", []step{raw(ok200 + "Transfer-Encoding: rot13\r\n\r\n" + nativeReply)}, nil, noReply, 0, 3},
		{"an endless body", []step{endlessly(ok200+"\r\n", strings.Repeat(" ", 4096))}, nil, unreadable, 200, 1},
		{"an endless body in chunks", []step{endlessly(chunked, "1000\r\n"+strings.Repeat(" ", 4096)+"\r\n")}, nil, unreadable, 200, 1},
		{"an endless body of a 502", []step{endlessly("HTTP/1.1 502 Oops\r\n\r\n", strings.Repeat(" ", 4096))}, nil, unreadable, 502, 3},
		{"a reply of 1 MiB", []step{answer(200, nativeReply+strings.Repeat(" ", 1<<20-len(nativeReply)))}, nil, aURL, 200, 1},
		{"a reply of 1 MiB and a byte", []step{answer(200, nativeReply+strings.Repeat(" ", 1<<20-len(nativeReply)+1))}, nil, unreadable, 200, 1},

		{"gzip that was not asked for", []step{answer(200, zipped(1<<20, strings.NewReader(nativeReply)), "Content-Encoding: gzip")}, nil, aURL, 200, 1},
		{"a gzip bomb", []step{answer(200, zipped(64<<20, endless{}), "Content-Encoding: gzip")}, nil, unreadable, 200, 1},
		{"gzip that is cut off", []step{cut(gzipped + "\r\n" + zipped(1<<20, strings.NewReader(nativeReply))[:60])}, nil, unreadable, 200, 1},
		{"gzip that is none", []step{answer(200, nativeReply, "Content-Encoding: gzip")}, nil, unreadable, 200, 1},
		{"another encoding", []step{answer(200, "\x8b\x02\x80", "Content-Encoding: br")}, nil, unreadable, 200, 1},

		{"a header of 2 MiB", []step{answer(200, nativeReply, "X-Long: "+strings.Repeat("x", 2<<20))}, nil, aURL, 200, 1},
		{"a header of 12 MiB", []step{answer(200, nativeReply, "X-Long: "+strings.Repeat("x", 12<<20))}, nil, noReply, 0, 3},
		{"headers without end", []step{endlessly("HTTP/1.1 200 OK\r\n", "X-More: "+strings.Repeat("x", 4096)+"\r\n")}, nil, noReply, 0, 3},
		{"a header line without colon", []step{raw("HTTP/1.1 200 OK\r\nno header\r\n\r\n")}, nil, noReply, 0, 3},
		{"a header with a null byte", []step{raw("HTTP/1.1 200 OK\r\nX-Null: \x00\r\n\r\n")}, nil, noReply, 0, 3},

		{"HTTP/1.0", []step{cut("HTTP/1.0 200 OK\r\n\r\n" + nativeReply)}, nil, aURL, 200, 1},
		{"HTTP/0.9", []step{cut(nativeReply)}, nil, noReply, 0, 3},
		{"HTTP/9.9", []step{raw("HTTP/x.9 200 OK\r\n\r\n" + nativeReply)}, nil, noReply, 0, 3},
		{"a status of two digits", []step{raw("HTTP/1.1 20 OK\r\n\r\n" + nativeReply)}, nil, noReply, 0, 3},
		{"a status of four digits", []step{raw("HTTP/1.1 2000 OK\r\n\r\n" + nativeReply)}, nil, noReply, 0, 3},
		{"a status of 999", []step{answer(999, `{}`)}, nil, unknown, 999, 1},

		{"HTTP/2", []step{http2(h2OK(nativeReply))}, overHTTP2, aURL, 200, 1},
		{"HTTP/2, GOAWAY before the request is taken, once", []step{http2(h2GoingAway(0, h2NoError)), http2(h2OK(nativeReply))}, overHTTP2, aURL, 200, 1},
		{"HTTP/2, GOAWAY before the request is taken", []step{http2AndEnd(h2GoingAway(0, h2NoError))}, and(overHTTP2, impatient), attemptTimeout, 0, 3},
		{"HTTP/2, GOAWAY with an error, once", []step{http2AndEnd(h2GoingAway(1, h2Internal)), http2(h2OK(nativeReply))}, overHTTP2, aURL, 200, 2},
		{"HTTP/2, GOAWAY with an error", []step{http2AndEnd(h2GoingAway(1, h2Internal))}, overHTTP2, noReply, 0, 3},
		{"HTTP/2, GOAWAY and the reply", []step{http2(h2GoingAway(1, h2NoError), h2OK(nativeReply))}, overHTTP2, aURL, 200, 1},
		{"HTTP/2, a stream that is refused, once", []step{http2(h2ResetWith(h2Refused)), http2(h2OK(nativeReply))}, and(overHTTP2, oneRequestAConnection), aURL, 200, 1},
		{"HTTP/2, a stream that is reset, once", []step{http2(h2ResetWith(h2Internal)), http2(h2OK(nativeReply))}, and(overHTTP2, oneRequestAConnection), aURL, 200, 2},
		{"HTTP/2, a stream that is reset", []step{http2(h2ResetWith(h2Internal))}, and(overHTTP2, oneRequestAConnection), noReply, 0, 3},
		{"HTTP/2, a stream that is reset in the body", []step{http2(frame(h2Headers, 4, 1, 0x88), frame(h2Data, 0, 1, '{'), h2ResetWith(h2Internal))}, and(overHTTP2, oneRequestAConnection), unreadable, 200, 1},
		{"HTTP/2, silence", []step{http2()}, and(overHTTP2, impatient), attemptTimeout, 0, 3},
		{"HTTP/2, headers that are none", []step{http2(frame(h2Headers, 4, 1, 0xff, 0xff))}, overHTTP2, noReply, 0, 3},
		{"HTTP/1.1 where HTTP/2 is spoken", []step{cut("")}, overHTTP2, noReply, 0, 3},

		{"100, then 200", []step{raw("HTTP/1.1 100 Continue\r\n\r\n" + withLength(len(nativeReply)) + nativeReply)}, nil, aURL, 200, 1},
		{"102 and 103, then 200", []step{raw("HTTP/1.1 102 Wait\r\n\r\nHTTP/1.1 103 Hints\r\nLink: <x>\r\n\r\n" + withLength(len(nativeReply)) + nativeReply)}, nil, aURL, 200, 1},
		{"103 without end", []step{endlessly("", "HTTP/1.1 103 Hints\r\nX-Hint: "+strings.Repeat("x", 4096)+"\r\n\r\n")}, nil, noReply, 0, 3},
		{"101, and no more", []step{cut("HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n")}, nil, unknown, 101, 1},
		{"101, and silence", []step{raw("HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n")}, nil, unknown, 101, 1},
		{"200 without a body", []step{answer(200, ``)}, nil, unreadable, 200, 1},
		{"202 with a URL", []step{answer(202, nativeReply)}, nil, aURL, 202, 1},
		{"204", []step{answer(204, ``)}, nil, unreadable, 204, 1},
		{"205", []step{answer(205, ``)}, nil, unreadable, 205, 1},
		{"300", []step{answer(300, ``)}, nil, unknown, 300, 1},
		{"301", []step{answer(301, ``, "Location: http://127.0.0.1:1/")}, nil, unknown, 301, 1},
		{"302", []step{answer(302, ``, "Location: http://127.0.0.1:1/")}, nil, unknown, 302, 1},
		{"303", []step{answer(303, ``, "Location: http://127.0.0.1:1/")}, nil, unknown, 303, 1},
		{"304", []step{answer(304, ``)}, nil, unknown, 304, 1},
		{"307", []step{answer(307, ``, "Location: http://127.0.0.1:1/")}, nil, unknown, 307, 1},
		{"308", []step{answer(308, ``, "Location: http://127.0.0.1:1/")}, nil, unknown, 308, 1},
		{"a redirect to itself", []step{answer(307, ``, "Location: ")}, nil, unknown, 307, 1},

		{"400", []step{answer(400, `{}`)}, nil, unknown, 400, 1},
		{"401", []step{answer(401, `{}`)}, nil, unknown, 401, 1},
		{"403", []step{answer(403, `{}`)}, nil, unknown, 403, 1},
		{"404", []step{answer(404, `{}`)}, nil, unknown, 404, 1},
		{"405", []step{answer(405, `{}`)}, nil, unknown, 405, 1},
		{"407", []step{answer(407, `{}`)}, nil, unknown, 407, 1},
		{"408", []step{answer(408, `{}`)}, nil, unknown, 408, 1},
		{"409", []step{answer(409, `{}`)}, nil, unknown, 409, 1},
		{"413", []step{answer(413, `{}`)}, nil, unknown, 413, 1},
		{"421", []step{answer(421, `{}`)}, nil, unknown, 421, 1},
		{"429", []step{answer(429, `{}`)}, nil, unknown, 429, 3},
		{"429 once", []step{answer(429, `{}`), fine}, nil, aURL, 200, 2},
		{"431", []step{answer(431, `{}`)}, nil, unknown, 431, 1},
		{"500", []step{answer(500, `{}`)}, nil, unknown, 500, 3},
		{"500 once", []step{answer(500, `{}`), fine}, nil, aURL, 200, 2},
		{"500 twice", []step{answer(500, `{}`), answer(500, `{}`), fine}, nil, aURL, 200, 3},
		{"501", []step{answer(501, `{}`)}, nil, unknown, 501, 1},
		{"502", []step{answer(502, `{}`)}, nil, unknown, 502, 3},
		{"502 once", []step{answer(502, `{}`), fine}, nil, aURL, 200, 2},
		{"503", []step{answer(503, `{}`)}, nil, unknown, 503, 3},
		{"503 once", []step{answer(503, `{}`), fine}, nil, aURL, 200, 2},
		{"503, to be tried again soon", []step{answer(503, ``, "X-Amz-Retry-After: 10"), fine}, nil, aURL, 200, 2},
		{"504", []step{answer(504, `{}`)}, nil, unknown, 504, 3},
		{"504 once", []step{answer(504, `{}`), fine}, nil, aURL, 200, 2},
		{"505", []step{answer(505, `{}`)}, nil, unknown, 505, 1},

		{"AccessDeniedException", []step{fails(401, "AccessDeniedException")}, nil, "AccessDeniedException", 401, 1},
		{"InternalFailureException", []step{fails(500, "InternalFailureException")}, nil, "InternalFailureException", 500, 3},
		{"InvalidParameterValueException", []step{fails(400, "InvalidParameterValueException")}, nil, "InvalidParameterValueException", 400, 1},
		{"QuickSightUserNotFoundException", []step{fails(404, "QuickSightUserNotFoundException")}, nil, "QuickSightUserNotFoundException", 404, 1},
		{"ResourceExistsException", []step{fails(409, "ResourceExistsException")}, nil, "ResourceExistsException", 409, 1},
		{"ResourceNotFoundException", []step{fails(404, "ResourceNotFoundException")}, nil, "ResourceNotFoundException", 404, 1},
		{"SessionLifetimeInMinutesInvalidException", []step{fails(400, "SessionLifetimeInMinutesInvalidException")}, nil, "SessionLifetimeInMinutesInvalidException", 400, 1},
		{"ThrottlingException", []step{fails(429, "ThrottlingException")}, nil, "ThrottlingException", 429, 3},
		{"ThrottlingException twice", []step{fails(429, "ThrottlingException"), fails(429, "ThrottlingException"), fine}, nil, aURL, 200, 3},
		{"UnsupportedUserEditionException", []step{fails(403, "UnsupportedUserEditionException")}, nil, "UnsupportedUserEditionException", 403, 1},
		{"ExpiredTokenException", []step{fails(403, "ExpiredTokenException")}, nil, "ExpiredTokenException", 403, 1},
		{"throttled, then denied", []step{fails(429, "ThrottlingException"), fails(401, "AccessDeniedException")}, nil, "AccessDeniedException", 401, 2},
		{"a quota that is spent", []step{fails(429, "ThrottlingException")}, spent, "ThrottlingException", 429, 1},

		{"HTML from a proxy, 200", []step{answer(200, `<html>`, "Content-Type: text/html")}, nil, unreadable, 200, 1},
		{"HTML from a proxy, 403", []step{answer(403, `<html>`, "Content-Type: text/html")}, nil, unreadable, 403, 1},
		{"HTML from a proxy, 502", []step{answer(502, `<html>`, "Content-Type: text/html")}, nil, unreadable, 502, 3},
		{"HTML from a proxy, 502 once", []step{answer(502, `<html>`, "Content-Type: text/html"), fine}, nil, aURL, 200, 2},
		{"invalid UTF-8", []step{answer(200, "{\"EmbedUrl\":\"https://q.example/\xff\xfe\"}")}, nil, aURL, 200, 1},
		{"invalid UTF-8 outside a string", []step{answer(200, "\xff\xfe{}")}, nil, unreadable, 200, 1},
		{"a byte order mark", []step{answer(200, "\ufeff"+nativeReply)}, nil, unreadable, 200, 1},
		{"JSON nested 100,000 deep", []step{answer(200, deepJSON(100000, nativeReply))}, nil, unreadable, 200, 1},
		{"JSON nested 1,000 deep", []step{answer(200, deepJSON(1000, nativeReply))}, nil, aURL, 200, 1},
		{"an error nested 100,000 deep", []step{answer(400, deepJSON(100000, `{"code":"X"}`))}, nil, unreadable, 400, 1},
		{"EmbedUrl twice", []step{answer(200, `{"EmbedUrl":"","EmbedUrl":"https://q.example/"}`)}, nil, aURL, 200, 1},
		{"EmbedUrl twice, the last one empty", []step{answer(200, `{"EmbedUrl":"https://q.example/","EmbedUrl":""}`)}, nil, unreadable, 200, 1},
		{"a key in odd case", []step{answer(200, `{"embedurl":"https://q.example/"}`)}, nil, aURL, 200, 1},
		{"a number for the URL", []step{answer(200, `{"EmbedUrl":7}`)}, nil, unreadable, 200, 1},
		{"a number for the request ID", []step{answer(200, `{"EmbedUrl":"https://q.example/","RequestId":7}`)}, nil, aURL, 200, 1},
		{"a number for a code", []step{answer(400, `{"code":7}`)}, nil, unknown, 400, 1},
		{"a list", []step{answer(200, `[]`)}, nil, unreadable, 200, 1},
		{"null", []step{answer(200, `null`)}, nil, unreadable, 200, 1},
		{"an envelope of a failure, 200", []step{answer(200, `{"success":false,"error":{"code":"ThrottlingException"}}`)}, nil, "ThrottlingException", 200, 3},
		{"an envelope of nothing", []step{answer(200, `{"success":true}`)}, nil, unreadable, 200, 1},

		{"credentials that fail", []step{fine}, identity(noKeys), noIdentity, 0, 0},
		{"credentials that fail between attempts", []step{answer(500, `{}`), fine}, identity(keys, noKeys), noIdentity, 0, 1},
		{"credentials that change between attempts", []step{answer(500, `{}`), fine}, identity(keys, otherKeys), aURL, 200, 2},
		{"credentials that block", []step{fine}, and(identity(blocked), within(shortTimeout)), noIdentity, 0, 0},
		{"credentials that block between attempts", []step{answer(500, `{}`), fine}, and(identity(keys, blocked), within(longEnough)), noIdentity, 0, 1},

		{"a clock an hour ahead", []step{skewedBy(time.Hour)}, nil, aURL, 200, 2},
		{"a clock hours behind", []step{skewedBy(-5 * time.Hour)}, nil, aURL, 200, 2},
		{"a clock 10 minutes ahead", []step{skewedBy(10 * time.Minute)}, nil, aURL, 200, 1},
		{"a clock that drifts", []step{skewedBy(time.Hour), skewedBy(2 * time.Hour), skewedBy(3 * time.Hour)}, nil, "InvalidSignatureException", 403, 3},
		{"a clock that is wrong once", []step{skewedBy(time.Hour), skewedBy(0), skewedBy(0)}, nil, aURL, 200, 3},
		{"a clock that is not followed", []step{skewedBy(time.Hour)}, func(_ *testing.T, s *scene) { s.options.DisableClockSkewCorrection = true }, "InvalidSignatureException", 403, 1},

		{"canceled before", []step{fine}, cancelsAtOnce, contextEnded, 0, 0},
		{"canceled in credentials", []step{fine}, identity(cancelsAndBlocks), noIdentity, 0, 0},
		{"canceled in sign", []step{fine}, signing(func(_ context.Context, s *scene) error { s.cancel(); return nil }), canceled, 0, 1},
		{"a signer that fails", []step{fine}, signing(func(context.Context, *scene) error { return errors.New("no key store") }), notSigned, 0, 0},
		{"a signer that blocks", []step{fine}, and(within(shortTimeout), signing(func(ctx context.Context, _ *scene) error { <-ctx.Done(); return ctx.Err() })), notSigned, 0, 0},
		{"canceled in send", []step{canceling(silence, nil)}, nil, canceled, 0, 1},
		{"canceled in the headers", []step{canceling(raw("HTTP/1.1 200 OK\r\nX-"), nil)}, nil, canceled, 0, 1},
		{"canceled after the headers", []step{canceling(raw(withLength(200)), theHeaders)}, nil, canceled, 200, 1},
		{"canceled in the body", []step{canceling(raw(withLength(200)+"{"), theBody)}, nil, canceled, 200, 1},
		{"canceled in the second attempt", []step{answer(500, `{}`), canceling(silence, nil)}, nil, canceled, 0, 2},
		{"canceled in back-off", []step{answer(500, `{}`)}, backingOff(func(s *scene) time.Duration { s.cancel(); return time.Hour }), canceledInBackOff, 0, 1},
		{"a deadline in send", []step{silence}, within(longEnough), canceled, 0, 1},
		{"a deadline in the body", []step{raw(withLength(200) + "{")}, within(longEnough), canceled, 200, 1},
		{"a deadline in back-off", []step{answer(500, `{}`)}, and(within(longEnough), backingOff(func(*scene) time.Duration { return time.Hour })), canceledInBackOff, 0, 1},
	}
}

func and(a, b func(*testing.T, *scene)) func(*testing.T, *scene) {
	return func(t *testing.T, s *scene) {
		a(t, s)
		b(t, s)
	}
}

func slowed(_ *testing.T, s *scene) { s.options.AttemptTimeout = longEnough }

func spent(_ *testing.T, s *scene) {
	s.options.Retryer = retry.NewStandard(func(o *retry.StandardOptions) { o.RateLimiter = ratelimit.NewTokenRateLimit(1) })
}

func oneRequestAConnection(_ *testing.T, s *scene) { s.transport.DisableKeepAlives = true }

// kindOf returns the kind of a call's result, and checks what all errors of its kind must have.
func kindOf(t *testing.T, s *scene, out *quicksightembed.GetSessionEmbedUrlOutput, err error) string {
	t.Helper()
	if err == nil {
		require.NotEmpty(t, aws.ToString(out.EmbedUrl))
		return aURL
	}
	require.Nil(t, out)
	require.IsType(t, &smithy.OperationError{}, err)
	var (
		canceledErr  *smithy.CanceledError
		inBackOffErr *aws.RequestCanceledError
		sendErr      *smithyhttp.RequestSendError
		readErr      *smithy.DeserializationError
		apiErr       smithy.APIError
		timeout      interface{ Timeout() bool }
	)
	ended := s.ctx.Err() != nil
	if ended {
		assert.ErrorIs(t, err, s.ctx.Err(), "the caller's context has ended")
	}
	for _, text := range []string{noIdentity, notSigned} {
		if strings.HasPrefix(errors.Unwrap(err).Error(), text+": ") {
			return text
		}
	}
	switch {
	case errors.As(err, &canceledErr):
		return canceled
	case errors.As(err, &inBackOffErr):
		return canceledInBackOff
	case errors.As(err, &sendErr) && errors.As(err, &timeout) && timeout.Timeout() && strings.Contains(err.Error(), "no complete reply within the attempt timeout"):
		return attemptTimeout
	case errors.As(err, &sendErr):
		return noReply
	case errors.As(err, &readErr):
		return unreadable
	case errors.As(err, &apiErr):
		return apiErr.ErrorCode()
	case ended:
		return contextEnded
	}
	return err.Error()
}

// closesConnections closes idle connections until all are closed. After an attempt is aborted, an
// HTTP/2 connection becomes idle a moment later, when the server has shown that it is alive.
func (s *scene) closesConnections(done <-chan struct{}) bool {
	late, again := time.After(deadlineOfARow), time.NewTicker(10*time.Millisecond)
	defer again.Stop()
	for {
		s.transport.CloseIdleConnections()
		select {
		case <-done:
			return true
		case <-again.C:
		case <-late:
			return false
		}
	}
}

// openFiles counts the file descriptors of the process. It returns 0 if the system is not Linux.
func openFiles() int {
	if runtime.GOOS != "linux" {
		return 0
	}
	files, _ := os.ReadDir("/proc/self/fd")
	return len(files)
}

func TestFaults(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes seconds, and mutation testing runs it for each mutant")
	}
	faults := faults()
	require.GreaterOrEqual(t, len(faults), 80)
	// The first socket of a process opens files that remain open: open them now.
	newScene(t).listener.Close()
	for _, row := range faults {
		t.Run(row.name, func(t *testing.T) {
			ignore, files := goleak.IgnoreCurrent(), openFiles()
			s := newScene(t)
			defer func() { s.cancel() }()
			if row.with != nil {
				row.with(t, s)
			}
			done := make(chan struct{})
			go s.serve(row.server, done)

			start := time.Now()
			out, err := quicksightembed.New(s.options).GetSessionEmbedUrl(s.ctx, janesInput())
			assert.Less(t, time.Since(start), deadlineOfARow)
			assert.Equal(t, row.want, kindOf(t, s, out, err), "%v", err)
			assert.Equal(t, row.attempts, s.attempts)
			if err == nil {
				assert.Equal(t, row.status, int(out.Status))
			}
			var respErr *awshttp.ResponseError
			if errors.As(err, &respErr) {
				assert.Equal(t, row.status, respErr.HTTPStatusCode())
			}
			var maxErr *retry.MaxAttemptsError
			assert.Equal(t, err != nil && row.attempts == 3, errors.As(err, &maxErr), "the last of several attempts says so")

			assert.Zero(t, s.openBodies, "each body is closed")
			s.listener.Close()
			assert.True(t, s.closesConnections(done), "a connection is left open")
			if t.Failed() {
				return
			}
			s.mu.Lock()
			for _, end := range s.atEnd {
				end()
			}
			s.mu.Unlock()
			assert.NoError(t, goleak.Find(ignore))
			assert.LessOrEqual(t, openFiles(), files, "no file is left open")
		})
	}
}
