package quicksightembed

import (
	"net/http"
	"strings"

	"github.com/aws/smithy-go/logging"
)

// logRequest logs the request as ClientLogMode asks for.
func logRequest(logger logging.Logger, o *Options, req *http.Request) {
	if o.ClientLogMode.IsSigning() {
		scope, _ := cutSignature(req)
		logger.Logf(logging.Debug, "Signed at %s: %sSignature=%s", req.Header.Get("X-Amz-Date"), scope, redacted)
	}
	if o.ClientLogMode.IsRequest() || o.ClientLogMode.IsRequestWithBody() {
		logger.Logf(logging.Debug, "Request\n%s %s HTTP/1.1\nHost: %s\n%s", req.Method, req.URL.RequestURI(), req.URL.Host, headerText(req.Header))
	}
}

// logReply logs the reply as ClientLogMode asks for.
func logReply(logger logging.Logger, o *Options, r reply) {
	withBody := o.ClientLogMode.IsResponseWithBody()
	if !withBody && !o.ClientLogMode.IsResponse() {
		return
	}
	text := r.hideSecrets(headerText(r.response.Header))
	if withBody {
		text += "\n" + string(r.printableBody(maxReplyBytes))
	}
	logger.Logf(logging.Debug, "Response\n%s %s\n%s", r.response.Proto, r.response.Status, text)
}

// headerText writes a header without the values that are secret whatever they are.
func headerText(header http.Header) string {
	shown := header.Clone()
	for _, secret := range []string{"Authorization", "X-Amz-Security-Token", "Set-Cookie"} {
		if len(shown[secret]) > 0 {
			shown[secret] = []string{redacted}
		}
	}
	var text strings.Builder
	shown.Write(&text)
	return text.String()
}
