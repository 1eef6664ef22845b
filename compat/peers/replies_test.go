package peers

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/aws/aws-sdk-go-v2/aws"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// reply is what a server answers.
type reply struct {
	status int
	header http.Header
	body   string
	broken error // the error that ends the body, instead of io.EOF
}

func (r reply) transport() smithyhttp.ClientDoFunc {
	return func(*http.Request) (*http.Response, error) {
		resp := response(r.status, r.header.Clone(), r.body)
		if r.broken != nil {
			resp.Body = io.NopCloser(io.MultiReader(strings.NewReader(r.body), iotest.ErrReader(r.broken)))
		}
		return resp, nil
	}
}

// compareReplies answers both clients with the reply and returns their outcomes.
func compareReplies(t testing.TB, r reply) (official, ours outcome) {
	t.Helper()
	cfg := workingConfig(r.transport())
	cfg.Retryer = once
	official, ours = askOfficial(t.Context(), cfg, janes()), askOurs(t.Context(), cfg, janes())
	if contains(ours.Layers, "smithy.DeserializationError") && contains(official.Layers, "smithy.DeserializationError") {
		// Neither can read it: the difference unreadableText.
		official.Layers, ours.Layers = upTo(official.Layers, "smithy.DeserializationError"), upTo(ours.Layers, "smithy.DeserializationError")
		official.Text, ours.Text = "", ""
	}
	return official, ours
}

func contains(layers []string, layer string) bool { return len(upTo(layers, layer)) > 0 }

// upTo returns the layers up to and including one, or nil if it is not among them.
func upTo(layers []string, layer string) []string {
	for i, l := range layers {
		if l == layer {
			return layers[:i+1]
		}
	}
	return nil
}

// summary describes the outcome in a few words.
func (o outcome) summary() string {
	if o.Layers == nil {
		return fmt.Sprintf("URL of %d", o.Status)
	}
	if o.Exception == nil {
		return fmt.Sprintf("%s of %d", o.Layers[len(o.Layers)-1], o.HTTPStatus)
	}
	return fmt.Sprintf("%s %q of %d", o.Code, o.Message, o.HTTPStatus)
}

func errorType(value string) http.Header { return http.Header{"X-Amzn-Errortype": {value}} }

func TestRepliesAreUnderstoodTheSame(t *testing.T) {
	const unreadable = "smithy.DeserializationError"
	requestID := http.Header{"X-Amzn-Requestid": {"header-id"}}
	both := http.Header{"X-Amzn-Errortype": {"ThrottlingException"}, "X-Amzn-Requestid": {"header-id"}}
	type row struct {
		name string
		reply
		want string
	}
	rows := []row{
		{"a URL", reply{200, requestID, urlReply, nil}, "URL of 200"},
		{"a URL and no request IDs", reply{200, nil, `{"EmbedUrl":"https://x"}`, nil}, "URL of 200"},
		{"a URL with 201", reply{201, nil, urlReply, nil}, "URL of 201"},
		{"a URL with 299", reply{299, nil, urlReply, nil}, "URL of 299"},
		{"a URL and unknown keys", reply{200, nil, `{"New":{"a":[1,2,{"b":null}]},"EmbedUrl":"https://x"}`, nil}, "URL of 200"},
		{"a URL and another Status", reply{200, nil, `{"EmbedUrl":"https://x","Status":404}`, nil}, "URL of 200"},
		{"a URL and a Status of text", reply{200, nil, `{"EmbedUrl":"https://x","Status":"ok"}`, nil}, "URL of 200"},
		{"a URL and a null request ID", reply{200, nil, `{"EmbedUrl":"https://x","RequestId":null}`, nil}, "URL of 200"},
		{"a URL and an empty request ID", reply{200, nil, `{"EmbedUrl":"https://x","RequestId":""}`, nil}, "URL of 200"},
		{"a URL twice", reply{200, nil, `{"EmbedUrl":"https://x","EmbedUrl":"https://y"}`, nil}, "URL of 200"},
		{"a URL in escapes", reply{200, nil, `{"EmbedUrl":"https:\/\/x\u002f\u00e9\ud83d\ude42"}`, nil}, "URL of 200"},
		{"a URL with half a surrogate pair", reply{200, nil, `{"EmbedUrl":"https://x/\ud83d"}`, nil}, "URL of 200"},
		{"a URL of bytes that are no UTF-8", reply{200, nil, "{\"EmbedUrl\":\"https://x/\xff\xfe\"}", nil}, "URL of 200"},
		{"a URL and white space around", reply{200, nil, " \r\n\t" + urlReply + "\n\n", nil}, "URL of 200"},
		{"a URL and more behind it", reply{200, nil, urlReply + `{"another":"document"}`, nil}, "URL of 200"},
		{"a URL and garbage behind it", reply{200, nil, urlReply + `<html>`, nil}, "URL of 200"},
		{"a URL as HTML by its content type", reply{200, http.Header{"Content-Type": {"text/html"}}, urlReply, nil}, "URL of 200"},
		{"a URL and an error in the header", reply{200, both, urlReply, nil}, "URL of 200"},
		{"a URL and an error in the body", reply{200, nil, `{"EmbedUrl":"https://x","code":"AccessDeniedException","__type":"x"}`, nil}, "URL of 200"},
		{"a URL behind a byte order mark", reply{200, nil, "\ufeff" + urlReply, nil}, unreadable},
		{"a URL that is a number", reply{200, nil, `{"EmbedUrl":1}`, nil}, unreadable},
		{"a URL that is an object", reply{200, nil, `{"EmbedUrl":{}}`, nil}, unreadable},
		{"a URL that is an array", reply{200, nil, `{"EmbedUrl":["https://x"]}`, nil}, unreadable},
		{"a URL that is true", reply{200, nil, `{"EmbedUrl":true}`, nil}, unreadable},
		{"a request ID that is a number", reply{200, nil, `{"EmbedUrl":"https://x","RequestId":7}`, nil}, "URL of 200"},
		{"a URL of an unclosed string", reply{200, nil, `{"EmbedUrl":"https://x`, nil}, unreadable},
		{"a URL of an unclosed object", reply{200, nil, `{"EmbedUrl":"https://x"`, nil}, unreadable},
		{"a URL with a control character", reply{200, nil, "{\"EmbedUrl\":\"https://\x01x\"}", nil}, unreadable},
		{"single quotes", reply{200, nil, `{'EmbedUrl':'https://x'}`, nil}, unreadable},
		{"a trailing comma", reply{200, nil, `{"EmbedUrl":"https://x",}`, nil}, unreadable},
		{"a page of HTML with 200", reply{200, nil, "<html>captive portal</html>", nil}, unreadable},
		{"an array with 200", reply{200, nil, `[` + urlReply + `]`, nil}, unreadable},
		{"a string with 200", reply{200, nil, `"https://x"`, nil}, unreadable},
		{"a number with 200", reply{200, nil, `0`, nil}, unreadable},
		{"true with 200", reply{200, nil, `true`, nil}, unreadable},
		{"a broken connection in the body", reply{200, nil, urlReply[:40], io.ErrUnexpectedEOF}, unreadable},
		{"a timeout in the body", reply{200, nil, urlReply[:40], errors.New("i/o timeout")}, unreadable},
		{"a broken connection before the body", reply{200, nil, "", io.ErrUnexpectedEOF}, unreadable},
		{"deep nesting", reply{200, nil, `{"x":` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + `,"EmbedUrl":"https://x"}`, nil}, unreadable},
		{"a number that no float holds", reply{200, nil, `{"x":1e999,"EmbedUrl":"https://x"}`, nil}, "URL of 200"},

		{"an error with nothing at all", reply{400, nil, ``, nil}, `UnknownError "UnknownError" of 400`},
		{"an error with an empty object", reply{400, nil, `{}`, nil}, `UnknownError "UnknownError" of 400`},
		{"an error with null", reply{400, nil, `null`, nil}, `UnknownError "UnknownError" of 400`},
		{"an error with a message alone", reply{400, nil, `{"message":"m"}`, nil}, `UnknownError "m" of 400`},
		{"an error with a Message alone", reply{400, nil, `{"Message":"m"}`, nil}, `UnknownError "m" of 400`},
		{"an error with an array", reply{400, nil, `[]`, nil}, unreadable},
		{"an error with a string", reply{400, nil, `"denied"`, nil}, unreadable},
		{"an error with a number", reply{400, nil, `7`, nil}, unreadable},
		{"an error with HTML", reply{502, requestID, `<html><h1>Bad Gateway</h1></html>`, nil}, unreadable},
		{"an error with plain text", reply{503, nil, `upstream connect error`, nil}, unreadable},
		{"an error with XML", reply{403, nil, `<Error><Code>AccessDenied</Code></Error>`, nil}, unreadable},
		{"an error that is cut off", reply{429, both, `{"message":"slow`, nil}, unreadable},
		{"an error whose connection breaks", reply{429, both, `{"message":"slow`, io.ErrUnexpectedEOF}, unreadable},
		{"an error of broken JSON and a header", reply{400, errorType("AccessDeniedException"), `{`, nil}, unreadable},
		{"an error by header and no body", reply{401, errorType("AccessDeniedException"), ``, nil}, `AccessDeniedException "" of 401`},
		{"an error by header and null", reply{401, errorType("AccessDeniedException"), `null`, nil}, `AccessDeniedException "" of 401`},
		{"a code of a number", reply{400, nil, `{"code":7,"message":"m"}`, nil}, `UnknownError "m" of 400`},
		{"a __type of an object", reply{400, nil, `{"__type":{},"message":"m"}`, nil}, `UnknownError "m" of 400`},
		{"a code of null", reply{400, nil, `{"code":null,"__type":"AccessDeniedException"}`, nil}, `AccessDeniedException "" of 400`},
		{"an empty code", reply{400, nil, `{"code":"","__type":"AccessDeniedException"}`, nil}, `AccessDeniedException "" of 400`},
		{"code and __type", reply{400, nil, `{"code":"ThrottlingException","__type":"AccessDeniedException"}`, nil}, `ThrottlingException "" of 400`},
		{"header, code and __type", reply{400, errorType("ResourceNotFoundException"), `{"code":"ThrottlingException","__type":"AccessDeniedException"}`, nil}, `ResourceNotFoundException "" of 400`},
		{"CODE", reply{400, nil, `{"CODE":"AccessDeniedException"}`, nil}, `AccessDeniedException "" of 400`},
		{"Code", reply{400, nil, `{"Code":"AccessDeniedException"}`, nil}, `AccessDeniedException "" of 400`},
		{"__TYPE", reply{400, nil, `{"__TYPE":"AccessDeniedException"}`, nil}, `AccessDeniedException "" of 400`},
		{"code twice", reply{400, nil, `{"code":"AccessDeniedException","code":"ThrottlingException"}`, nil}, `ThrottlingException "" of 400`},
		{"code and Code", reply{400, nil, `{"Code":"AccessDeniedException","code":"ThrottlingException"}`, nil}, `ThrottlingException "" of 400`},
		{"an empty header and a code", reply{400, errorType(""), `{"code":"AccessDeniedException"}`, nil}, `AccessDeniedException "" of 400`},
		{"a header of a colon", reply{400, errorType(":"), `{"code":"AccessDeniedException"}`, nil}, ` "UnknownError" of 400`},
		{"a header of a hash", reply{400, errorType("ns#"), `{"code":"AccessDeniedException"}`, nil}, ` "UnknownError" of 400`},
		{"a __type of a hash", reply{400, nil, `{"__type":"ns#","message":"m"}`, nil}, `UnknownError "m" of 400`},
		{"a code of two namespaces", reply{400, nil, `{"code":"a#b#AccessDeniedException"}`, nil}, `AccessDeniedException "" of 400`},
		{"white space around the code", reply{400, errorType(" AccessDeniedException "), `{}`, nil}, ` AccessDeniedException  "UnknownError" of 400`},
		{"MESSAGE", reply{400, errorType("AccessDeniedException"), `{"MESSAGE":"m"}`, nil}, `AccessDeniedException "m" of 400`},
		{"MESSAGE of an unknown code", reply{400, errorType("NewException"), `{"MESSAGE":"m"}`, nil}, `NewException "m" of 400`},
		{"a message of null", reply{400, errorType("AccessDeniedException"), `{"message":null}`, nil}, `AccessDeniedException "" of 400`},
		{"a message of a number", reply{400, errorType("AccessDeniedException"), `{"message":7}`, nil}, `AccessDeniedException "" of 400`},
		{"an empty message", reply{400, errorType("AccessDeniedException"), `{"message":""}`, nil}, `AccessDeniedException "" of 400`},
		{"an empty message of an unknown code", reply{400, errorType("NewException"), `{"message":""}`, nil}, `NewException "UnknownError" of 400`},
		{"request IDs in body and header", reply{429, both, `{"message":"m","RequestId":"body-id"}`, nil}, `ThrottlingException "m" of 429`},
		{"a request ID in the body", reply{429, errorType("ThrottlingException"), `{"message":"m","RequestId":"body-id"}`, nil}, `ThrottlingException "m" of 429`},
		{"a request ID of a number", reply{429, errorType("ThrottlingException"), `{"RequestId":7}`, nil}, `ThrottlingException "" of 429`},
		{"a request ID in the other header", reply{429, http.Header{"X-Amz-Requestid": {"other-id"}}, `{}`, nil}, `UnknownError "UnknownError" of 429`},
		{"request IDs in both headers", reply{429, http.Header{"X-Amz-Requestid": {"other-id"}, "X-Amzn-Requestid": {"header-id"}}, `{}`, nil}, `UnknownError "UnknownError" of 429`},
		{"a request ID of odd case", reply{429, errorType("ThrottlingException"), `{"requestId":"x","REQUESTID":"y"}`, nil}, `ThrottlingException "" of 429`},
		{"a URL and a request ID of odd case", reply{200, nil, `{"EmbedUrl":"https://x","requestId":"x","requestid":"y"}`, nil}, "URL of 200"},
		{"a URL and one of odd case", reply{200, nil, `{"EmbedUrl":"https://x","embedUrl":"https://y","EMBEDURL":"https://z"}`, nil}, "URL of 200"},
		{"a resource type", reply{404, errorType("ResourceNotFoundException"), `{"message":"m","ResourceType":"DATA_SET"}`, nil}, `ResourceNotFoundException "m" of 404`},
		{"an unknown resource type", reply{409, errorType("ResourceExistsException"), `{"ResourceType":"NEW"}`, nil}, `ResourceExistsException "" of 409`},
		{"a resource type of a number", reply{404, errorType("ResourceNotFoundException"), `{"ResourceType":7}`, nil}, `ResourceNotFoundException "" of 404`},
		{"a resource type of an exception without", reply{404, errorType("ThrottlingException"), `{"ResourceType":7}`, nil}, `ThrottlingException "" of 404`},
		{"an unknown code", reply{400, nil, `{"code":"NewException","message":"m"}`, nil}, `NewException "m" of 400`},
		{"an unknown code with a namespace", reply{400, nil, `{"__type":"com.amazonaws.quicksight#NewException","message":"m"}`, nil}, `NewException "m" of 400`},
		{"a code of a front end", reply{403, nil, `{"message":"The security token included in the request is invalid."}`, nil}, `UnknownError "The security token included in the request is invalid." of 403`},
		{"a code of IAM", reply{403, errorType("InvalidSignatureException"), `{"message":"wrong"}`, nil}, `InvalidSignatureException "wrong" of 403`},
		{"several headers", reply{400, http.Header{"X-Amzn-Errortype": {"ThrottlingException", "AccessDeniedException"}}, `{}`, nil}, `ThrottlingException "" of 400`},
		{"a message in escapes", reply{400, errorType("AccessDeniedException"), `{"message":"\u00e9\n\"x\""}`, nil}, "AccessDeniedException \"é\\n\\\"x\\\"\" of 400"},
		{"an error and garbage behind it", reply{400, errorType("AccessDeniedException"), `{"message":"m"}<html>`, nil}, `AccessDeniedException "m" of 400`},
		{"an EmbedUrl in an error", reply{400, nil, `{"EmbedUrl":"https://x"}`, nil}, `UnknownError "UnknownError" of 400`},
		{"an error in a number that no float holds", reply{400, errorType("AccessDeniedException"), `{"x":1e999,"message":"m"}`, nil}, `AccessDeniedException "m" of 400`},
	}
	for _, code := range exceptions {
		want := fmt.Sprintf(`%s "m" of 400`, code)
		rows = append(rows,
			row{code + " by header", reply{400, errorType(code), `{"message":"m","RequestId":"body-id"}`, nil}, want},
			row{code + " by code", reply{400, requestID, `{"code":"` + code + `","message":"m"}`, nil}, want},
			row{code + " by __type", reply{400, nil, `{"__type":"` + code + `","Message":"m"}`, nil}, want},
			row{code + " with a namespace", reply{400, nil, `{"__type":"com.amazonaws.quicksight#` + code + `","message":"m"}`, nil}, want},
			row{code + " with a URI", reply{400, errorType(code + ":http://internal.amazon.com/coral/com.amazonaws.quicksight/"), `{"message":"m"}`, nil}, want},
			row{code + " with both", reply{400, errorType("aws.protocoltests.restjson#" + code + ":http://internal.amazon.com/"), `{"message":"m"}`, nil}, want},
			row{code + " in odd case", reply{400, errorType(strings.ToUpper(code[:4]) + strings.ToLower(code[4:])), `{"message":"m"}`, nil}, want},
		)
	}
	for _, status := range []int{0, 300, 301, 302, 304, 307, 308, 400, 401, 403, 404, 405, 408, 409, 410, 413, 415, 418, 429, 431, 499, 500, 501, 502, 503, 504, 600} {
		rows = append(rows,
			row{fmt.Sprintf("an exception with %d", status), reply{status, both, `{"message":"m"}`, nil}, fmt.Sprintf(`ThrottlingException "m" of %d`, status)},
			row{fmt.Sprintf("nothing with %d", status), reply{status, nil, ``, nil}, fmt.Sprintf(`UnknownError "UnknownError" of %d`, status)},
		)
	}
	require.GreaterOrEqual(t, len(rows), 100)
	excused := map[string]difference{
		"a URL and an empty request ID": emptyText, "an empty message": emptyText,
		"MESSAGE": anyCase, "a request ID of odd case": anyCase, "a URL and a request ID of odd case": anyCase, "a URL and one of odd case": anyCase,
		"a request ID that is a number": wrongType, "a code of a number": wrongType, "a __type of an object": wrongType,
		"a message of a number": wrongType, "a request ID of a number": wrongType, "a resource type of a number": wrongType,
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			official, ours := compareReplies(t, row.reply)
			if difference, ok := excused[row.name]; ok {
				assert.NotEqual(t, official, ours, difference.about)
			} else {
				assert.Equal(t, official, ours)
			}
			want := row.want
			if want == unreadable {
				want = fmt.Sprintf("%s of %d", unreadable, row.status)
			}
			assert.Equal(t, want, ours.summary())
		})
	}
}

// knownKeys are the keys of a reply without an envelope.
var knownKeys = []string{"EmbedUrl", "RequestId", "code", "__type", "message", "ResourceType"}

// FuzzReplies compares the clients on any reply, except those that a difference is about.
func FuzzReplies(f *testing.F) {
	f.Add(200, "", "", "id", []byte(urlReply))
	f.Add(429, "ThrottlingException", "", "", []byte(`{"message":"slow down","RequestId":"r"}`))
	f.Add(404, "", "", "id", []byte(`{"__type":"com.amazonaws.quicksight#ResourceNotFoundException:x","Message":"m","ResourceType":"USER"}`))
	f.Add(502, "", "text/html", "", []byte(`<html>`))
	f.Add(400, "", "", "", []byte(`{"code":"NewException","message":null,"MESSAGE":"m"}`))
	f.Fuzz(func(t *testing.T, status int, code, contentType, id string, body []byte) {
		if status < 200 || status > 599 {
			return // not a final status
		}
		header := http.Header{}
		for name, value := range map[string]string{"X-Amzn-Errortype": code, "Content-Type": contentType, "X-Amzn-Requestid": id} {
			if value != "" {
				header.Set(name, value)
			}
		}
		r := reply{status, header, string(body), nil}
		var doc map[string]any
		json.NewDecoder(bytes.NewReader(body)).Decode(&doc)
		if _, envelope := doc["success"].(bool); envelope {
			return // enveloped
		}
		if doc["message"] != nil && doc["Message"] != nil {
			return // eitherMessage
		}
		for key, value := range doc {
			i := slices.IndexFunc(knownKeys, func(known string) bool { return strings.EqualFold(known, key) })
			if i >= 0 && knownKeys[i] != key && key != "Message" {
				return // anyCase
			}
			if text, ok := value.(string); i >= 0 && value != nil && (!ok || text == "") {
				return // wrongType, emptyText
			}
		}
		official, ours := compareReplies(t, r)
		if official.Layers == nil && aws.ToString(official.EmbedUrl) == "" {
			require.Contains(t, ours.Layers, "smithy.DeserializationError", withoutURL.about)
			return
		}
		if strings.Contains(ours.Text, "REDACTED") { // hiddenSecrets
			official.Text, ours.Text, official.Message, ours.Message, official.Code, ours.Code, official.Exception, ours.Exception = "", "", "", "", "", "", nil, nil
		}
		require.Equal(t, official, ours)
	})
}
