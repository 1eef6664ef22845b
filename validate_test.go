package quicksightembed_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/quicksightembed"
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
