package quicksightembed

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// maxReplyBytes bounds the reply that is read into memory; QuickSight's own are below 4 KiB.
const maxReplyBytes = 1 << 20

// reply is what came back for a request.
type reply struct {
	request  *http.Request
	response *http.Response
	body     []byte
}

// readReply reads the reply to its end, which frees the connection for the next call, or to maxReplyBytes.
func readReply(req *http.Request, resp *http.Response) (r reply, err error) {
	defer resp.Body.Close()
	r = reply{request: req, response: resp}
	r.body, err = io.ReadAll(io.LimitReader(resp.Body, maxReplyBytes+1))
	if err == nil && len(r.body) > maxReplyBytes {
		err = errors.New("it is larger than 1 MiB")
	}
	return r, err
}

// decode decodes the reply into an output, or the error that it stands for.
func (r reply) decode() (*GetSessionEmbedUrlOutput, error) {
	doc, err := decodeDocument(r.body)
	success, isEnvelope := doc.envelope()
	switch {
	case isEnvelope && !success:
		return nil, r.decodeEnvelopeError(doc)
	case r.response.StatusCode < 200 || r.response.StatusCode > 299:
		return nil, r.decodeError(doc)
	case err != nil:
		return nil, r.unreadable(err)
	}
	out := &GetSessionEmbedUrlOutput{Status: int32(r.response.StatusCode)}
	if isEnvelope {
		err = out.decodeEnvelope(doc)
	} else {
		err = out.decode(doc)
	}
	if err != nil {
		return nil, r.unreadable(err)
	}
	return out, nil
}

// decode fills the output from QuickSight's own reply.
func (out *GetSessionEmbedUrlOutput) decode(doc document) error {
	if err := cmp.Or(doc.text(&out.EmbedUrl, "EmbedUrl"), doc.text(&out.RequestId, "RequestId")); err != nil {
		return err
	}
	if aws.ToString(out.EmbedUrl) == "" {
		return errors.New("it has no EmbedUrl")
	}
	return nil
}

// decodeEnvelope fills the output from a gateway's reply. That may have no EmbedUrl, but not an empty one.
func (out *GetSessionEmbedUrlOutput) decodeEnvelope(envelope document) error {
	data, err := envelope.object("data")
	if err != nil {
		return err
	}
	if data == nil {
		return errors.New("it has no data")
	}
	var createdAt *string
	if err := cmp.Or(
		data.text(&out.Id, "id"),
		data.text(&createdAt, "created_at"),
		data.text(&out.EmbedUrl, "EmbedUrl", "embed_url"),
		data.text(&out.RequestId, "RequestId", "request_id"),
	); err != nil {
		return err
	}
	if createdAt != nil {
		parsed, err := time.Parse(time.RFC3339, *createdAt)
		if err != nil {
			return errors.New("created_at must be a time as in RFC 3339")
		}
		out.CreatedAt = &parsed
	}
	if out.EmbedUrl != nil && *out.EmbedUrl == "" {
		return errors.New("its EmbedUrl is empty")
	}
	return nil
}

// document is a JSON object. Its keys are exact, which those of a struct are not.
type document map[string]any

// decodeDocument accepts what the official client's decoder does: an empty body or null as an empty document, and
// anything behind the first JSON value.
//
// A decoder is what can do so, and costs more than to unmarshal a body that is one value and no more, as almost all are.
func decodeDocument(body []byte) (doc document, err error) {
	if json.Unmarshal(body, &doc) == nil {
		return doc, nil
	}
	doc = nil
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber() // a number that no float64 can hold is none of our business
	if err := decoder.Decode(&doc); err != nil && err != io.EOF {
		return nil, wrongType(err)
	}
	return doc, nil
}

// envelope reports whether the document is the reply of a gateway that wraps what the service says, and whether it is a
// success.
func (doc document) envelope() (success, ok bool) {
	if _, native := doc["EmbedUrl"]; native {
		return false, false
	}
	success, ok = doc["success"].(bool)
	return success, ok
}

// text points target at the text under the first of the keys that has a value. Where none has, or null, target stays as it
// is.
func (doc document) text(target **string, keys ...string) error {
	for _, key := range keys {
		switch value := doc[key].(type) {
		case nil:
			continue
		case string:
			*target = &value
			return nil
		default:
			return mustBe("a string", key, value)
		}
	}
	return nil
}

// object returns the object under the key, or nil where there is none, or null.
func (doc document) object(key string) (document, error) {
	switch value := doc[key].(type) {
	case nil:
		return nil, nil
	case map[string]any:
		return value, nil
	default:
		return nil, mustBe("an object", key, value)
	}
}

func mustBe(want, name string, value any) error {
	is := "object"
	switch value.(type) {
	case bool:
		is = "bool"
	case float64, json.Number:
		is = "number"
	case string:
		is = "string"
	case []any:
		is = "array"
	}
	return fmt.Errorf("%s is of the type %s and must be %s", name, is, want)
}
