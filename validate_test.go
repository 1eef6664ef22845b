package quicksightembed_test

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/quicksightembed"
	"example.com/quicksightembed/embedtest"
)

func TestValidateAccepts(t *testing.T) {
	for name, in := range map[string]quicksightembed.GetSessionEmbedUrlInput{
		"an account alone":             {},
		"the start page":               {EntryPoint: aws.String(quicksightembed.EntryPointStart)},
		"the analyses":                 {EntryPoint: aws.String(quicksightembed.EntryPointAnalyses)},
		"the dashboards":               {EntryPoint: aws.String(quicksightembed.EntryPointDashboards)},
		"the favorites":                {EntryPoint: aws.String(quicksightembed.EntryPointFavorites)},
		"a dashboard":                  {EntryPoint: aws.String(quicksightembed.DashboardEntryPoint("1a1ac2b2-3fc3-4b44-5e5d-c6db6778df89"))},
		"an analysis":                  {EntryPoint: aws.String(quicksightembed.AnalysisEntryPoint("sales_2026"))},
		"an id of 512 characters":      {EntryPoint: aws.String("/dashboards/" + strings.Repeat("x", 512))},
		"the shortest session":         {SessionLifetimeInMinutes: aws.Int64(15)},
		"the longest session":          {SessionLifetimeInMinutes: aws.Int64(600)},
		"a registered user":            {UserArn: aws.String(jane)},
		"a role session":               {UserArn: aws.String("arn:aws:quicksight:us-east-1:111122223333:user/default/embed-role/jane@example.com")},
		"a user of the China region":   {UserArn: aws.String("arn:aws-cn:quicksight:cn-north-1:111122223333:user/default/jane")},
		"a user of a government cloud": {UserArn: aws.String("arn:aws-us-gov:quicksight:us-gov-west-1:111122223333:user/default/jane")},
		"a namespace of all kinds":     {UserArn: aws.String("arn:aws:quicksight:us-east-1:111122223333:user/Team-A_1.b/jane")},
		"a namespace of 64":            {UserArn: aws.String("arn:aws:quicksight:us-east-1:111122223333:user/" + strings.Repeat("n", 64) + "/jane")},
		"a user name not in ASCII":     {UserArn: aws.String("arn:aws:quicksight:us-east-1:111122223333:user/default/Jané Döe: 東京?&+%")},
	} {
		t.Run(name, func(t *testing.T) {
			in.AwsAccountId = aws.String(account)
			assert.NoError(t, in.Validate())
		})
	}
}

func TestValidateRefuses(t *testing.T) {
	const (
		entryPoint = "must be /start, /start/analyses, /start/dashboards, /start/favorites, /dashboards/{id} or /analyses/{id}, where id is 1 to 512 letters, digits, _ or -"
		arnForm    = "must be arn:{partition}:quicksight:{region}:{account}:user/{namespace}/{user name}"
		noRegion   = "has no region: it " + arnForm
		namespace  = `must have a namespace of 1 to 64 letters, digits, ".", "_" or "-" after user/`
		userName   = "must have a user name in UTF-8 without control characters"
	)
	type input = quicksightembed.GetSessionEmbedUrlInput
	for name, test := range map[string]struct {
		field string
		value string
		want  string
	}{
		"an empty account":                     {"AwsAccountId", "", "must be 12 digits"},
		"an account of 11 digits":              {"AwsAccountId", "11112222333", "must be 12 digits"},
		"an account of 13 digits":              {"AwsAccountId", "1111222233334", "must be 12 digits"},
		"an account with hyphens":              {"AwsAccountId", "1111-2222-3333", "must be 12 digits"},
		"an account in other digits":           {"AwsAccountId", "١١١١٢٢٢٢٣٣٣٣", "must be 12 digits"},
		"an account that leads elsewhere":      {"AwsAccountId", "../../../../x", "must be 12 digits"},
		"an empty entry point":                 {"EntryPoint", "", entryPoint},
		"an entry point without a slash":       {"EntryPoint", "start", entryPoint},
		"an entry point with a trailing slash": {"EntryPoint", "/start/", `has "/" too much: give /start alone`},
		"an entry point of another page":       {"EntryPoint", "/start/datasets", entryPoint},
		"an entry point with a fragment":       {"EntryPoint", "/start#top", `has "#top" too much: give /start alone`},
		"a dashboard without an id":            {"EntryPoint", "/dashboards/", entryPoint},
		"a dashboard with a sheet":             {"EntryPoint", "/dashboards/abc/sheets/def", `has "/sheets/def" too much: give /dashboards/abc alone`},
		"a dashboard above it":                 {"EntryPoint", "/dashboards/..", entryPoint},
		"a dashboard with an escape":           {"EntryPoint", "/dashboards/a%2Fb", entryPoint},
		"a dashboard with a space":             {"EntryPoint", "/dashboards/a b", entryPoint},
		"an id not in ASCII":                   {"EntryPoint", "/analyses/é", entryPoint},
		"an ARN of another kind":               {"UserArn", "jane", arnForm},
		"an empty ARN":                         {"UserArn", "", arnForm},
		"an ARN of another service":            {"UserArn", "arn:aws:iam::111122223333:user/jane", arnForm},
		"an ARN of no known partition":         {"UserArn", "arn:awsx:quicksight:us-east-1:111122223333:user/default/jane", arnForm},
		"an ARN of an unfinished partition":    {"UserArn", "arn:aws-:quicksight:us-east-1:111122223333:user/default/jane", arnForm},
		"an ARN without a region":              {"UserArn", "arn:aws:quicksight:111122223333:user/default/jane", noRegion},
		"an ARN with an empty region":          {"UserArn", "arn:aws:quicksight::111122223333:user/default/jane", noRegion},
		"an ARN with a region of two words":    {"UserArn", "arn:aws:quicksight:us east:111122223333:user/default/jane", "has no region that can be one: it " + arnForm},
		"an ARN that ends with its region":     {"UserArn", "arn:aws:quicksight:us-east-1", "has no account of 12 digits: it " + arnForm},
		"an ARN without an account":            {"UserArn", "arn:aws:quicksight:us-east-1::user/default/jane", "has no account of 12 digits: it " + arnForm},
		"an ARN of another account":            {"UserArn", "arn:aws:quicksight:us-east-1:999988887777:user/default/jane", "must be of the account in AwsAccountId, 111122223333"},
		"an ARN of a group":                    {"UserArn", "arn:aws:quicksight:us-east-1:111122223333:group/default/admins", arnForm},
		"an ARN without a namespace":           {"UserArn", "arn:aws:quicksight:us-east-1:111122223333:user/jane", arnForm},
		"an ARN with an empty namespace":       {"UserArn", "arn:aws:quicksight:us-east-1:111122223333:user//jane", namespace},
		"an ARN with a namespace with a space": {"UserArn", "arn:aws:quicksight:us-east-1:111122223333:user/a b/jane", namespace},
		"an ARN without a user name":           {"UserArn", "arn:aws:quicksight:us-east-1:111122223333:user/default/", arnForm},
		"a user name with a line break":        {"UserArn", "arn:aws:quicksight:us-east-1:111122223333:user/default/jane\nX-Evil: 1", userName},
		"a user name with a C1 control":        {"UserArn", "arn:aws:quicksight:us-east-1:111122223333:user/default/jane\u0085", userName},
		"a user name that is not UTF-8":        {"UserArn", "arn:aws:quicksight:us-east-1:111122223333:user/default/jan\xe9", userName},
	} {
		t.Run(name, func(t *testing.T) {
			in := input{AwsAccountId: aws.String(account)}
			switch test.field {
			case "AwsAccountId":
				in.AwsAccountId = &test.value
			case "EntryPoint":
				in.EntryPoint = &test.value
			case "UserArn":
				in.UserArn = &test.value
			}
			fields := fieldsOf(t, in.Validate())
			require.Len(t, fields, 1)
			assert.Equal(t, test.field, fields[0].Field)
			assert.Equal(t, test.want, fields[0].Problem)
		})
	}
}

func TestValidateRefusesLongIds(t *testing.T) {
	for name, in := range map[string]quicksightembed.GetSessionEmbedUrlInput{
		"a dashboard id of 513 characters": {EntryPoint: aws.String(quicksightembed.DashboardEntryPoint(strings.Repeat("x", 513)))},
		"an analysis id of 513 characters": {EntryPoint: aws.String(quicksightembed.AnalysisEntryPoint(strings.Repeat("x", 513)))},
		"a namespace of 65 characters":     {UserArn: aws.String("arn:aws:quicksight:us-east-1:111122223333:user/" + strings.Repeat("n", 65) + "/jane")},
	} {
		t.Run(name, func(t *testing.T) {
			in.AwsAccountId = aws.String(account)
			fields := fieldsOf(t, in.Validate())
			require.Len(t, fields, 1)
			assert.LessOrEqual(t, len(fields[0].Value), 128)
		})
	}
}

func TestValidateRefusesSessionLifetimes(t *testing.T) {
	for _, minutes := range []int64{-1, 0, 14, 601, 1 << 62} {
		in := quicksightembed.GetSessionEmbedUrlInput{AwsAccountId: aws.String(account), SessionLifetimeInMinutes: &minutes}
		fields := fieldsOf(t, in.Validate())
		require.Len(t, fields, 1, minutes)
		assert.Equal(t, "SessionLifetimeInMinutes", fields[0].Field)
		assert.Equal(t, "must be 15 to 600 minutes", fields[0].Problem)
	}
}

func TestValidateOfNilInputLacksAccount(t *testing.T) {
	var in *quicksightembed.GetSessionEmbedUrlInput
	assert.EqualError(t, in.Validate(), "invalid input: AwsAccountId is required: 12 digits")
}

func TestValidateReportsEveryFieldInOrderInOneLine(t *testing.T) {
	in := quicksightembed.GetSessionEmbedUrlInput{
		AwsAccountId:             aws.String("12"),
		EntryPoint:               aws.String("/x"),
		SessionLifetimeInMinutes: aws.Int64(5),
		UserArn:                  aws.String("arn:aws:quicksight:999988887777:user/default/jane"),
	}
	assert.EqualError(t, in.Validate(), `invalid input: AwsAccountId "12" must be 12 digits; `+
		`EntryPoint "/x" must be /start, /start/analyses, /start/dashboards, /start/favorites, /dashboards/{id} or /analyses/{id}, where id is 1 to 512 letters, digits, _ or -; `+
		`SessionLifetimeInMinutes "5" must be 15 to 600 minutes; `+
		`UserArn "arn:aws:quicksight:999988887777:user/default/jane" has no region: it must be arn:{partition}:quicksight:{region}:{account}:user/{namespace}/{user name}`)
}

func TestUserArnIsNotComparedWithAnAccountThatIsNone(t *testing.T) {
	in := janesInput()
	in.AwsAccountId = aws.String("1111")
	assert.EqualError(t, in.Validate(), `invalid input: AwsAccountId "1111" must be 12 digits`)
}

func TestFieldErrorShowsNoSecretsAndIsShort(t *testing.T) {
	for name, test := range map[string]struct{ entryPoint, want string }{
		"a query":       {"/start?code=c0de", `"/start?REDACTED"`},
		"user info":     {"https://jane:pa/ss@example.com/start?code=c0de", `"https://REDACTED@example.com/start?REDACTED"`},
		"two ats":       {"https://jane:p@ss@example.com/start", `"https://REDACTED@example.com/start"`},
		"control bytes": {"/start\n\x00", `"/start\n\x00"`},
		"128 bytes":     {strings.Repeat("x", 126), `"` + strings.Repeat("x", 126) + `"`},
		"129 bytes":     {strings.Repeat("x", 127), `"` + strings.Repeat("x", 123) + `…"`},
		"wide runes":    {strings.Repeat("東", 100), `"` + strings.Repeat("東", 41) + `…"`},
	} {
		t.Run(name, func(t *testing.T) {
			in := quicksightembed.GetSessionEmbedUrlInput{AwsAccountId: aws.String(account), EntryPoint: &test.entryPoint}
			assert.Equal(t, test.want, fieldsOf(t, in.Validate())[0].Value)
		})
	}
}

func TestValidateAllocatesNothingForGoodInput(t *testing.T) {
	in := janesInput()
	in.EntryPoint = aws.String(quicksightembed.DashboardEntryPoint("abc"))
	in.SessionLifetimeInMinutes = aws.Int64(60)
	assert.Zero(t, testing.AllocsPerRun(100, func() { in.Validate() }))
}

func TestEntryPointsThatPeoplePass(t *testing.T) {
	for value, want := range map[string]string{
		"https://us-east-1.quicksight.aws.amazon.com/sn/dashboards/1a1a":                           "is a URL: give its path alone, /dashboards/1a1a",
		"https://us-east-1.quicksight.aws.amazon.com/sn/dashboards/1a1a/sheets/2b?x=y#z":           "is a URL: give its path alone, /dashboards/1a1a",
		"https://us-east-1.quicksight.aws.amazon.com/sn/analyses/1a1a/":                            "is a URL: give its path alone, /analyses/1a1a",
		"https://us-east-1.quicksight.aws.amazon.com/embedding/abc/start?code=" + embedCode + "&x": "is a URL: give its path alone, /start",
		"https://us-east-1.quicksight.aws.amazon.com/sn/start/favorites":                           "is a URL: give its path alone, /start/favorites",
		"https://us-east-1.quicksight.aws.amazon.com/sn/start/datasets":                            "is a URL: it must be /start, /start/analyses, ",
		"/dashboards/abc?theme=dark":                                                               `has "?theme=dark" too much: give /dashboards/abc alone`,
		"/dashboards/abc#p.x=1":                                                                    `has "#p.x=1" too much: give /dashboards/abc alone`,
		"/start/":                                                                                  `has "/" too much: give /start alone`,
		"/dashboards/abc/sheets/def":                                                               `has "/sheets/def" too much: give /dashboards/abc alone`,
		"/sn/dashboards/abc":                                                                       `has "/sn" too much: give /dashboards/abc alone`,
		"/sn/dashboards/abc/":                                                                      `has more than an entry point: give /dashboards/abc alone`,
		"/embedding/abc/start?code=" + embedCode + "&isauthcode=true":                              `has more than an entry point: give /start alone`,
	} {
		in := janesInput()
		in.EntryPoint = &value
		field := fieldsOf(t, in.Validate())[0]
		assert.True(t, strings.HasPrefix(field.Problem, want), "%s %s", value, field.Problem)
		assert.NotContains(t, field.String(), embedCode)
	}
}

func TestInputValidationCanBeDisabled(t *testing.T) {
	in := janesInput()
	in.EntryPoint, in.SessionLifetimeInMinutes, in.UserArn = aws.String("/q/new page?a=b&c"), aws.Int64(1000), aws.String("jane")
	disable := func(o *quicksightembed.Options) { o.DisableInputValidation = true }
	for _, option := range []func(*quicksightembed.Options){nil, quicksightembed.WithAPIOptions(noStep)} {
		client := clientOf("", nil, option)
		_, err := client.SignGetSessionEmbedUrl(ctx, in)
		assert.Len(t, fieldsOf(t, err), 3)
		req, err := client.SignGetSessionEmbedUrl(ctx, in, disable)
		require.NoError(t, err)
		assert.Equal(t, "entry-point=%2Fq%2Fnew%20page%3Fa%3Db%26c&session-lifetime=1000&user-arn=jane", req.URL.RawQuery)
		_, err = client.SignGetSessionEmbedUrl(ctx, &quicksightembed.GetSessionEmbedUrlInput{AwsAccountId: aws.String("../x")}, disable)
		assert.Equal(t, "AwsAccountId", fieldsOf(t, err)[0].Field)
		_, err = client.SignGetSessionEmbedUrl(ctx, in, disable, func(o *quicksightembed.Options) { o.Region = "x.evil" })
		assert.Equal(t, "Options.Region", fieldsOf(t, err)[0].Field)
	}
}

func BenchmarkValidate(b *testing.B) {
	in := janesInput()
	b.ReportAllocs()
	for b.Loop() {
		if err := in.Validate(); err != nil {
			b.Fatal(err)
		}
	}
}

// FuzzInput looks for input that is not sent as it was given, and for input that causes a panic.
func FuzzInput(f *testing.F) {
	f.Add(account, "/start", int64(60), jane, uint8(7))
	f.Add(account, "/dashboards/a_b-c", int64(15), "arn:aws-cn:quicksight:cn-north-1:111122223333:user/default/role/Jané D+e ~!*'()&=%?/#x;y", uint8(7))
	f.Add(account, "/analyses/x", int64(600), "arn:aws:quicksight:us-east-1:111122223333:user/d/\u2028%2F%00+ ", uint8(4))
	f.Add("../../x", "/start?x#y", int64(-1), "arn:aws:quicksight::111122223333:user/default/jane\r\nX: y", uint8(7))
	var verdict embedtest.Request
	server := embedtest.NewServer(func(o *embedtest.Options) { o.OnRequest = func(r embedtest.Request) { verdict = r } })
	f.Cleanup(server.Close)
	client := quicksightembed.NewFromConfig(server.Config())
	toAWS := quicksightembed.New(optionsFor("us-east-1", plain))
	f.Fuzz(func(t *testing.T, accountID, entryPoint string, lifetime int64, userArn string, given uint8) {
		in := &quicksightembed.GetSessionEmbedUrlInput{AwsAccountId: &accountID}
		want := url.Values{}
		if given&1 != 0 {
			in.EntryPoint = &entryPoint
			want.Set("entry-point", entryPoint)
		}
		if given&2 != 0 {
			in.SessionLifetimeInMinutes = &lifetime
			want.Set("session-lifetime", strconv.FormatInt(lifetime, 10))
		}
		if given&4 != 0 {
			in.UserArn = &userArn
			want.Set("user-arn", userArn)
		}
		req, err := toAWS.SignGetSessionEmbedUrl(context.Background(), in)
		if invalid := in.Validate(); invalid != nil {
			require.Error(t, err)
			require.ErrorAs(t, err, new(*quicksightembed.ValidationError))
			for _, field := range fieldsOf(t, err) {
				require.LessOrEqual(t, len(field.Value), 128)
				require.NotContains(t, field.String(), "\n")
			}
			return
		}
		require.NoError(t, err)
		received := onTheWire(t, req)
		require.Equal(t, "quicksight.us-east-1.amazonaws.com", received.Host)
		require.Equal(t, "/accounts/"+accountID+"/session-embed-url", received.URL.EscapedPath())
		require.NotContains(t, received.URL.RawQuery, "+")
		require.Empty(t, received.URL.Fragment)
		got, err := url.ParseQuery(received.URL.RawQuery)
		require.NoError(t, err)
		require.Equal(t, want, got)
		require.Len(t, received.Header, 5, "no value makes a header of its own")

		_, err = client.GetSessionEmbedUrl(context.Background(), in)
		require.Equal(t, verdict.Code == "", err == nil)
		require.Equal(t, *in, verdict.Input, "embedtest reads what was given")
		require.Contains(t, []string{"", "AccessDeniedException"}, verdict.Code, verdict.Message)
	})
}

// TestRulesAtTheirEdges has the first and last value that each rule accepts, and the neighbours
// that it refuses.
func TestRulesAtTheirEdges(t *testing.T) {
	arn := func(partition, region, namespace string) string {
		return "arn:" + partition + ":quicksight:" + region + ":012345678909:user/" + namespace + "/x"
	}
	type value struct{ account, entryPoint, userArn, region, base string }
	for name, test := range map[string]struct {
		in   value
		want string // the field that is refused
	}{
		"an account of the first and last digits":        {value{account: "012345678909"}, ""},
		"an account with what is before the digits":      {value{account: "01234567890/"}, "AwsAccountId"},
		"an account with what is behind the digits":      {value{account: "01234567890:"}, "AwsAccountId"},
		"an account of 12 letters":                       {value{account: "accountident"}, "AwsAccountId"},
		"an id of the first and last letters and digits": {value{entryPoint: "/dashboards/azAZ09_-"}, ""},
		"an id with what is before a":                    {value{entryPoint: "/dashboards/`"}, "EntryPoint"},
		"an id with what is behind z":                    {value{entryPoint: "/dashboards/{"}, "EntryPoint"},
		"an id with what is before A":                    {value{entryPoint: "/dashboards/@"}, "EntryPoint"},
		"an id with what is behind Z":                    {value{entryPoint: "/dashboards/["}, "EntryPoint"},
		"an id with what is before 0":                    {value{entryPoint: "/analyses//"}, "EntryPoint"},
		"an id with what is behind 9":                    {value{entryPoint: "/analyses/:"}, "EntryPoint"},
		"an id of one character":                         {value{entryPoint: "/analyses/x"}, ""},
		"a partition of 64 characters":                   {value{userArn: arn("aws-"+strings.Repeat("x", 64), "r", "n")}, ""},
		"a partition of 65 characters":                   {value{userArn: arn("aws-"+strings.Repeat("x", 65), "r", "n")}, "UserArn"},
		"a partition that begins otherwise":              {value{userArn: arn("xaws-", "r", "n")}, "UserArn"},
		"an ARN's region of one letter":                  {value{userArn: arn("aws", "r", "n")}, ""},
		"an ARN's region of 63 characters":               {value{userArn: arn("aws", strings.Repeat("r", 63), "n")}, ""},
		"an ARN's region of 64 characters":               {value{userArn: arn("aws", strings.Repeat("r", 64), "n")}, "UserArn"},
		"an ARN's region of 12 digits":                   {value{userArn: arn("aws", "111122223333", "n")}, ""},
		"an ARN's region that begins with a hyphen":      {value{userArn: arn("aws", "-r", "n")}, "UserArn"},
		"an ARN's region that ends with a hyphen":        {value{userArn: arn("aws", "r-", "n")}, "UserArn"},
		"a user name that begins with a control":         {value{userArn: "arn:aws:quicksight:us-east-1:012345678909:user/n/\x01x"}, "UserArn"},
		"a region of 63 characters":                      {value{region: strings.Repeat("r", 63)}, ""},
		"a region of 64 characters":                      {value{region: strings.Repeat("r", 64)}, "Options.Region"},
		"the first port":                                 {value{base: "http://localhost:1"}, ""},
		"the last port":                                  {value{base: "http://localhost:65535"}, ""},
		"a port behind the last":                         {value{base: "http://localhost:65536"}, "Options.BaseEndpoint"},
		"a label of 63 characters":                       {value{base: "http://" + strings.Repeat("x", 63) + ".example"}, ""},
		"a label of 64 characters":                       {value{base: "http://" + strings.Repeat("x", 64) + ".example"}, "Options.BaseEndpoint"},
		"a host of one character":                        {value{base: "http://x"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			in := &quicksightembed.GetSessionEmbedUrlInput{AwsAccountId: aws.String(cmp.Or(test.in.account, "012345678909"))}
			if test.in.entryPoint != "" {
				in.EntryPoint = &test.in.entryPoint
			}
			if test.in.userArn != "" {
				in.UserArn = &test.in.userArn
			}
			o := optionsFor(cmp.Or(test.in.region, "us-east-1"), plain)
			if test.in.base != "" {
				o.BaseEndpoint = &test.in.base
			}
			_, err := quicksightembed.New(o).SignGetSessionEmbedUrl(context.Background(), in)
			if test.want == "" {
				require.NoError(t, err)
				return
			}
			fields := fieldsOf(t, err)
			require.Len(t, fields, 1)
			require.Equal(t, test.want, fields[0].Field)
		})
	}
}

func TestUserArnThatIsCutOffIsNone(t *testing.T) {
	for _, userArn := range []string{"arn", "arn:aws", "arn:aws:quicksight", "aws:quicksight:us-east-1:111122223333:user/default/jane", "arn:aws:quicksight:us-east-1:111122223333:user/default"} {
		in := janesInput()
		in.UserArn = &userArn
		fields := fieldsOf(t, in.Validate())
		require.Len(t, fields, 1)
		require.Equal(t, "must be arn:{partition}:quicksight:{region}:{account}:user/{namespace}/{user name}", fields[0].Problem, userArn)
	}
}

func TestRequestOnTheWire(t *testing.T) {
	const path = "/accounts/111122223333/session-embed-url"
	for name, test := range map[string]struct {
		input quicksightembed.GetSessionEmbedUrlInput
		want  string
	}{
		"the account alone": {want: path},
		"an entry point":    {quicksightembed.GetSessionEmbedUrlInput{EntryPoint: aws.String("/start/favorites")}, path + "?entry-point=%2Fstart%2Ffavorites"},
		"a lifetime":        {quicksightembed.GetSessionEmbedUrlInput{SessionLifetimeInMinutes: aws.Int64(15)}, path + "?session-lifetime=15"},
		"everything": {
			quicksightembed.GetSessionEmbedUrlInput{
				EntryPoint:               aws.String("/dashboards/a-b_c"),
				SessionLifetimeInMinutes: aws.Int64(600),
				UserArn:                  aws.String("arn:aws:quicksight:us-east-1:111122223333:user/default/Jané D+e/~!*'()&=%?"),
			},
			path + "?entry-point=%2Fdashboards%2Fa-b_c&session-lifetime=600" +
				"&user-arn=arn%3Aaws%3Aquicksight%3Aus-east-1%3A111122223333%3Auser%2Fdefault%2FJan%C3%A9%20D%2Be%2F~%21%2A%27%28%29%26%3D%25%3F",
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := newServer(t, status(200, nativeReply))
			test.input.AwsAccountId = aws.String(account)
			_, err := newClient(t, server).GetSessionEmbedUrl(context.Background(), &test.input)
			require.NoError(t, err)
			require.Len(t, server.seen(), 1)
			assert.Equal(t, http.MethodGet, server.seen()[0].Method)
			assert.Equal(t, test.want, server.seen()[0].RequestURI)
			assert.Zero(t, server.seen()[0].ContentLength)
		})
	}
}

func TestInputIsPrintedWithItsValues(t *testing.T) {
	in := janesInput()
	in.SessionLifetimeInMinutes = aws.Int64(60)
	const want = "{AwsAccountId:111122223333 SessionLifetimeInMinutes:60 UserArn:" + jane + "}"
	assert.Equal(t, want, fmt.Sprintf("%v", in))
	assert.Equal(t, want, fmt.Sprintf("%+v", *in))
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("asking", "in", in)
	assert.Contains(t, log.String(), `"in":{"AwsAccountId":"111122223333","SessionLifetimeInMinutes":60,"UserArn":"`+jane+`"}`)
}
