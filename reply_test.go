package quicksightembed_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/quicksightembed"
)

func TestSuccessReplies(t *testing.T) {
	const url = "https://us-east-1.quicksight.aws.amazon.com/embedding/abc/start?code=c0de"
	createdAt := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	type output = quicksightembed.GetSessionEmbedUrlOutput
	for name, test := range map[string]struct {
		status int
		body   string
		want   output
	}{
		"QuickSight's own":                   {200, `{"EmbedUrl":"` + url + `","RequestId":"r","Status":200}`, output{EmbedUrl: aws.String(url), RequestId: aws.String("r"), Status: 200}},
		"another 2xx":                        {201, `{"EmbedUrl":"` + url + `"}`, output{EmbedUrl: aws.String(url), Status: 201}},
		"unknown keys":                       {200, `{"EmbedUrl":"` + url + `","success":"yes","More":[1,{"a":null}]}`, output{EmbedUrl: aws.String(url), Status: 200}},
		"a key in other case":                {200, `{"embedUrl":"` + url + `"}`, output{EmbedUrl: aws.String(url), Status: 200}},
		"a null request id":                  {200, `{"EmbedUrl":"` + url + `","RequestId":null}`, output{EmbedUrl: aws.String(url), Status: 200}},
		"a key twice: the last counts":       {200, `{"EmbedUrl":"x","EmbedUrl":"` + url + `"}`, output{EmbedUrl: aws.String(url), Status: 200}},
		"something behind the JSON":          {200, `{"EmbedUrl":"` + url + `"} trailing`, output{EmbedUrl: aws.String(url), Status: 200}},
		"EmbedUrl beats success":             {200, `{"EmbedUrl":"` + url + `","success":false}`, output{EmbedUrl: aws.String(url), Status: 200}},
		"an envelope as a gateway sends it":  {200, `{"success":true,"data":{"id":"abc123","created_at":"2025-01-01T00:00:00Z"}}`, output{Id: aws.String("abc123"), CreatedAt: &createdAt, Status: 200}},
		"an envelope with a URL":             {200, `{"success":true,"data":{"id":"1","EmbedUrl":"` + url + `","RequestId":"r"}}`, output{Id: aws.String("1"), EmbedUrl: aws.String(url), RequestId: aws.String("r"), Status: 200}},
		"an envelope in snake case":          {201, `{"success":true,"data":{"embed_url":"` + url + `","request_id":"r"}}`, output{EmbedUrl: aws.String(url), RequestId: aws.String("r"), Status: 201}},
		"an envelope with nulls":             {200, `{"success":true,"data":{"id":"1","created_at":null,"embed_url":null}}`, output{Id: aws.String("1"), Status: 200}},
		"an envelope with a null spelling":   {200, `{"success":true,"data":{"EmbedUrl":null,"embed_url":"` + url + `"}}`, output{EmbedUrl: aws.String(url), Status: 200}},
		"a numeric id beside a URL":          {200, `{"success":true,"data":{"id":7,"created_at":"yesterday","embed_url":"` + url + `"}}`, output{EmbedUrl: aws.String(url), Status: 200}},
		"a null EmbedUrl beside an envelope": {200, `{"EmbedUrl":null,"success":true,"data":{"id":"1"}}`, output{Id: aws.String("1"), Status: 200}},
		"a RequestId that is an object":      {200, `{"EmbedUrl":"` + url + `","RequestId":{}}`, output{EmbedUrl: aws.String(url), Status: 200}},
		"a time in another zone":             {200, `{"success":true,"data":{"id":"1","created_at":"2025-01-01T02:00:00+02:00"}}`, output{Id: aws.String("1"), CreatedAt: &createdAt, Status: 200}},
	} {
		t.Run(name, func(t *testing.T) {
			server := newServer(t, status(test.status, test.body))
			out, err := newClient(t, server).GetSessionEmbedUrl(context.Background(), janesInput())
			require.NoError(t, err)
			test.want.ResultMetadata = out.ResultMetadata
			assert.Equal(t, test.want, *out)
		})
	}
}

func TestRepliesThatCannotBeRead(t *testing.T) {
	for name, test := range map[string]struct {
		status int
		body   string
		want   string
	}{
		"nothing":                        {200, ``, "it has no EmbedUrl"},
		"null":                           {200, `null`, "it has no EmbedUrl"},
		"no EmbedUrl":                    {200, `{"RequestId":"r"}`, "it has no EmbedUrl"},
		"a null EmbedUrl":                {200, `{"EmbedUrl":null,"success":true,"data":{}}`, "it has no EmbedUrl"},
		"an empty EmbedUrl":              {200, `{"EmbedUrl":""}`, "it has no EmbedUrl"},
		"an EmbedUrl that is a number":   {200, `{"EmbedUrl":7}`, "EmbedUrl is of the type number and must be a string"},
		"a list":                         {200, `[]`, "it is of the type array and must be an object"},
		"HTML of a proxy":                {200, `<html></html>`, "invalid character '<' looking for beginning of value"},
		"truncated JSON":                 {200, `{"EmbedUrl":"https://x?code=c0de`, "unexpected EOF"},
		"more than 1 MiB":                {200, `{"EmbedUrl":"u","x":"` + strings.Repeat("x", 1<<20) + `"}`, "it is larger than 1 MiB"},
		"success as a string":            {200, `{"success":"true","data":{"id":"1"}}`, "it has no EmbedUrl"},
		"an envelope without data":       {200, `{"success":true}`, "it has no EmbedUrl"},
		"an envelope with null data":     {200, `{"success":true,"data":null}`, "it has no EmbedUrl"},
		"an envelope with a list":        {200, `{"success":true,"data":[]}`, "it has no EmbedUrl"},
		"an id that is a number":         {200, `{"success":true,"data":{"id":1}}`, "id is of the type number and must be a string"},
		"a time that is none":            {200, `{"success":true,"data":{"created_at":"yesterday"}}`, "it has no EmbedUrl"},
		"a time that is none, and an id": {200, `{"success":true,"data":{"id":"1","created_at":"yesterday"}}`, "in its data: created_at must be a time as in RFC 3339"},
		"a number for a time, and an id": {200, `{"success":true,"data":{"id":"1","created_at":1735689600}}`, "in its data: created_at must be a time as in RFC 3339"},
		"a time as a number":             {200, `{"success":true,"data":{"created_at":1735689600}}`, "it has no EmbedUrl"},
		"an empty enveloped URL":         {200, `{"success":true,"data":{"embed_url":""}}`, "it has no EmbedUrl"},
		"an envelope of an empty thing":  {200, `{"success":true,"data":{}}`, "it has no EmbedUrl"},
		"an error that is a list":        {400, `[]`, "it is of the type array and must be an object"},
		"an error of a proxy in HTML":    {403, `<html></html>`, "invalid character '<' looking for beginning of value"},
	} {
		t.Run(name, func(t *testing.T) {
			server := newServer(t, status(test.status, test.body, "Content-Type", "text/x", "X-Amzn-RequestId", "header-id"))
			out, err := newClient(t, server).GetSessionEmbedUrl(context.Background(), janesInput())
			assert.Nil(t, out)
			var respErr *awshttp.ResponseError
			require.ErrorAs(t, err, &respErr)
			assert.Equal(t, test.status, respErr.HTTPStatusCode())
			assert.Equal(t, "header-id", respErr.ServiceRequestID())
			var unreadable *smithy.DeserializationError
			require.ErrorAs(t, err, &unreadable)
			assert.ErrorContains(t, unreadable, `the reply (content type "text/x") cannot be read: `)
			assert.ErrorContains(t, unreadable, test.want)
			assert.Len(t, server.seen(), 1, "it is not retried")
		})
	}
}

func TestRedirectSaysThatItIsOne(t *testing.T) {
	server := newServer(t, status(302, "<html>", "Location", "https://jane:pass@login.example/?code=c0de"))
	_, err := newClient(t, server).GetSessionEmbedUrl(context.Background(), janesInput())
	assert.ErrorContains(t, err, `the reply (a redirect to "https://REDACTED@login.example/?REDACTED", which is not followed) cannot be read`)
}
