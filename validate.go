package quicksightembed

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Entry points of the QuickSight console for GetSessionEmbedUrlInput.EntryPoint: the page that the embedded session
// opens with. See also [DashboardEntryPoint] and [AnalysisEntryPoint].
const (
	EntryPointStart      = "/start"
	EntryPointAnalyses   = "/start/analyses"
	EntryPointDashboards = "/start/dashboards"
	EntryPointFavorites  = "/start/favorites"
)

const (
	dashboardEntryPoint = "/dashboards/"
	analysisEntryPoint  = "/analyses/"
)

// DashboardEntryPoint returns the entry point that opens one dashboard, "/dashboards/{id}". The id is the one in the
// dashboard's URL in the QuickSight console: 1 to 512 letters, digits, "_" or "-". Another id gives an entry point that
// Validate refuses.
func DashboardEntryPoint(dashboardId string) string { return dashboardEntryPoint + dashboardId }

// AnalysisEntryPoint returns the entry point that opens one analysis, "/analyses/{id}". The id is as for
// [DashboardEntryPoint].
func AnalysisEntryPoint(analysisId string) string { return analysisEntryPoint + analysisId }

const (
	minSessionLifetimeMinutes = 15
	maxSessionLifetimeMinutes = 600
)

const (
	entryPointForm = "must be " + EntryPointStart + ", " + EntryPointAnalyses + ", " + EntryPointDashboards + ", " +
		EntryPointFavorites + ", " + dashboardEntryPoint + "{id} or " + analysisEntryPoint +
		"{id}, where id is 1 to 512 letters, digits, _ or -"
	userArnForm = "must be arn:{partition}:quicksight:{region}:{account}:user/{namespace}/{user name}"
)

// ValidationError lists everything that is wrong with a call's input and options. Nothing was sent. Calls return it
// inside a *smithy.OperationError; use errors.As with a *ValidationError to find it.
type ValidationError struct {
	Fields []FieldError // in the order of GetSessionEmbedUrlInput, then of the options
}

// FieldError is one field that is wrong.
type FieldError struct {
	Field   string // its name, such as "UserArn" or "Options.Region"
	Value   string // what was given, quoted, cut to 128 bytes, a URL's user info and query redacted; "" where nothing was given
	Problem string // what is wrong and what would be right, such as "must be 12 digits"
}

// Error describes every failing field in one line.
func (e *ValidationError) Error() string {
	problems := make([]string, len(e.Fields))
	for i, f := range e.Fields {
		problems[i] = f.String()
	}
	return "invalid input: " + strings.Join(problems, "; ")
}

// String describes the field in one line, such as `AwsAccountId "1234" must be 12 digits`.
func (e FieldError) String() string {
	if e.Value == "" {
		return e.Field + " " + e.Problem
	}
	return e.Field + " " + e.Value + " " + e.Problem
}

// Validate checks the input by the rules below, which QuickSight documents, and returns nil or a *ValidationError with every
// failing field. GetSessionEmbedUrl calls it before anything else; call it yourself to judge input early, for example in
// a form handler. A nil input lacks AwsAccountId.
//
//   - AwsAccountId: required, 12 digits.
//   - EntryPoint: one of the EntryPoint constants, or an entry point made by [DashboardEntryPoint] or [AnalysisEntryPoint].
//   - SessionLifetimeInMinutes: 15 to 600 minutes.
//   - UserArn: arn:{partition}:quicksight:{region}:{account}:user/{namespace}/{user name}, in the account of AwsAccountId.
//
// See https://docs.aws.amazon.com/quicksight/latest/APIReference/API_GetSessionEmbedUrl.html
func (in *GetSessionEmbedUrlInput) Validate() error {
	if fields := in.problems(); fields != nil {
		return &ValidationError{Fields: fields}
	}
	return nil
}

func (in *GetSessionEmbedUrlInput) problems() (fields []FieldError) {
	if in == nil {
		in = &GetSessionEmbedUrlInput{}
	}
	account := ""
	switch {
	case in.AwsAccountId == nil:
		fields = append(fields, FieldError{Field: "AwsAccountId", Problem: "is required: 12 digits"})
	case !isAccountID(*in.AwsAccountId):
		fields = append(fields, fieldError("AwsAccountId", *in.AwsAccountId, "must be 12 digits"))
	default:
		account = *in.AwsAccountId
	}
	if in.EntryPoint != nil && !isEntryPoint(*in.EntryPoint) {
		fields = append(fields, fieldError("EntryPoint", *in.EntryPoint, entryPointForm))
	}
	if minutes := in.SessionLifetimeInMinutes; minutes != nil &&
		(*minutes < minSessionLifetimeMinutes || *minutes > maxSessionLifetimeMinutes) {
		fields = append(fields, fieldError("SessionLifetimeInMinutes", strconv.FormatInt(*minutes, 10),
			fmt.Sprintf("must be %d to %d minutes", minSessionLifetimeMinutes, maxSessionLifetimeMinutes)))
	}
	if in.UserArn != nil {
		if problem := userArnProblem(*in.UserArn, account); problem != "" {
			fields = append(fields, fieldError("UserArn", *in.UserArn, problem))
		}
	}
	return fields
}

func fieldError(field, value, problem string) FieldError {
	return FieldError{Field: field, Value: quoteValue(value), Problem: problem}
}

func isEntryPoint(path string) bool {
	switch path {
	case EntryPointStart, EntryPointAnalyses, EntryPointDashboards, EntryPointFavorites:
		return true
	}
	id, ok := strings.CutPrefix(path, dashboardEntryPoint)
	if !ok {
		id, ok = strings.CutPrefix(path, analysisEntryPoint)
	}
	return ok && consistsOf(id, 512, "_-")
}

// userArnProblem returns what is wrong with a UserArn, or "". The account is AwsAccountId where that is well formed.
//
// It cuts the ARN by hand because arn.Parse allocates and cannot tell what is missing.
func userArnProblem(userArn, account string) string {
	rest, ok := strings.CutPrefix(userArn, "arn:")
	partition, rest, ok2 := strings.Cut(rest, ":")
	service, rest, ok3 := strings.Cut(rest, ":")
	if !ok || !ok2 || !ok3 || !isPartition(partition) || service != "quicksight" {
		return userArnForm
	}
	region, rest, _ := strings.Cut(rest, ":")
	if region == "" || isAccountID(region) && strings.HasPrefix(rest, "user/") {
		return "has no region: it " + userArnForm
	}
	arnAccount, resource, _ := strings.Cut(rest, ":")
	resource, isUser := strings.CutPrefix(resource, "user/")
	namespace, name, _ := strings.Cut(resource, "/")
	switch {
	case !isHostLabel(region):
		return "has no region that can be one: it " + userArnForm
	case !isAccountID(arnAccount):
		return "has no account of 12 digits: it " + userArnForm
	case !isUser || name == "":
		return userArnForm
	case !consistsOf(namespace, 64, "._-"):
		return "must have a namespace of 1 to 64 letters, digits, \".\", \"_\" or \"-\" after user/"
	case !isPrintableUTF8(name):
		return "must have a user name in UTF-8 without control characters"
	case account != "" && arnAccount != account:
		return "must be of the account in AwsAccountId, " + account
	}
	return ""
}

func isAccountID(s string) bool { return len(s) == 12 && strings.Trim(s, "0123456789") == "" }

func isPartition(s string) bool {
	suffix, ok := strings.CutPrefix(s, "aws-")
	return s == "aws" || ok && consistsOf(suffix, 64, "-")
}

// isHostLabel reports whether s can stand between two dots of a host name, and so cannot lead a request elsewhere.
func isHostLabel(s string) bool {
	return smithyhttp.ValidHostLabel(s) && s[0] != '-' && s[len(s)-1] != '-'
}

// consistsOf reports whether s is 1 to most ASCII letters, digits and characters of others.
func consistsOf(s string, most int, others string) bool {
	for i := range len(s) {
		if !isLetterOrDigit(s[i]) && strings.IndexByte(others, s[i]) < 0 {
			return false
		}
	}
	return 1 <= len(s) && len(s) <= most
}

func isLetterOrDigit(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

func isPrintableUTF8(s string) bool {
	return utf8.ValidString(s) && strings.IndexFunc(s, unicode.IsControl) < 0
}
