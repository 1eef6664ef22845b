package quicksightembed

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Entry points: the page of the console that the session opens with.
const (
	EntryPointStart      = "/start"
	EntryPointAnalyses   = "/start/analyses"
	EntryPointDashboards = "/start/dashboards"
	EntryPointFavorites  = "/start/favorites"
)

// DashboardEntryPoint returns "/dashboards/{id}". The ID is in the dashboard's URL in the console:
// 1 to 512 letters, digits, "_" or "-".
func DashboardEntryPoint(dashboardId string) string { return dashboardEntryPoint + dashboardId }

// AnalysisEntryPoint returns "/analyses/{id}". IDs are as for [DashboardEntryPoint].
func AnalysisEntryPoint(analysisId string) string { return analysisEntryPoint + analysisId }

const (
	dashboardEntryPoint = "/dashboards/"
	analysisEntryPoint  = "/analyses/"

	entryPointForm = "must be /start, /start/analyses, /start/dashboards, /start/favorites, /dashboards/{id} or " +
		"/analyses/{id}, where id is 1 to 512 letters, digits, _ or -"
	userArnForm = "must be arn:{partition}:quicksight:{region}:{account}:user/{namespace}/{user name}"
)

// ValidationError lists all that is wrong with a call. Nothing was sent.
type ValidationError struct {
	Fields []FieldError // of the input, then of the options
}

// FieldError is a field that is wrong.
type FieldError struct {
	Field   string // its name, such as "UserArn" or "Options.Region"
	Value   string // quoted, at most 128 bytes, user info and query redacted
	Problem string // what is wrong and what would be right, such as "must be 12 digits"
}

// Error describes all fields in one line.
func (e *ValidationError) Error() string {
	var problems []string
	for i := 0; e != nil && i < len(e.Fields); i++ {
		problems = append(problems, e.Fields[i].String())
	}
	return "invalid input: " + strings.Join(problems, "; ")
}

// String describes the field, as in `AwsAccountId "1234" must be 12 digits`.
func (e FieldError) String() string {
	if e.Value == "" {
		return e.Field + " " + e.Problem
	}
	return e.Field + " " + e.Value + " " + e.Problem
}

func fieldError(field, value, problem string) FieldError {
	return FieldError{Field: field, Value: quoteValue(value), Problem: problem}
}

// Validate returns nil, or a *ValidationError with every failing field. Calls begin with it.
func (in *GetSessionEmbedUrlInput) Validate() error {
	if fields := in.problems(false); len(fields) > 0 {
		return &ValidationError{Fields: fields}
	}
	return nil
}

// problems returns what is wrong with the input, or only with its account.
func (in *GetSessionEmbedUrlInput) problems(accountOnly bool) (fields []FieldError) {
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
	if accountOnly {
		return fields
	}
	if in.EntryPoint != nil && !isEntryPoint(*in.EntryPoint) {
		fields = append(fields, fieldError("EntryPoint", *in.EntryPoint, entryPointProblem(*in.EntryPoint)))
	}
	if m := in.SessionLifetimeInMinutes; m != nil && (*m < 15 || *m > 600) {
		fields = append(fields, fieldError("SessionLifetimeInMinutes", fmt.Sprint(*m), "must be 15 to 600 minutes"))
	}
	if in.UserArn != nil {
		if problem := userArnProblem(*in.UserArn, account); problem != "" {
			fields = append(fields, fieldError("UserArn", *in.UserArn, problem))
		}
	}
	return fields
}

func isEntryPoint(path string) bool {
	switch path {
	case EntryPointStart, EntryPointAnalyses, EntryPointDashboards, EntryPointFavorites:
		return true
	}
	id := strings.LastIndexByte(path, '/') + 1
	return (path[:id] == dashboardEntryPoint || path[:id] == analysisEntryPoint) && consistsOf(path[id:], 512, "_-")
}

// entryPointProblem explains what people often pass instead of an entry point: a URL of the
// console, an embed URL, an entry point with a slash, sheet, query or fragment at its end. It
// repeats only the entry point of a URL: the rest may be secret.
func entryPointProblem(value string) string {
	before, entryPoint, after := cutEntryPoint(value)
	isURL := strings.Contains(value, "://")
	switch {
	case isURL && entryPoint == "":
		return "is a URL: it " + entryPointForm
	case isURL:
		return "is a URL: give its path alone, " + entryPoint
	case entryPoint == "":
		return entryPointForm
	case before != "" && after != "", strings.Contains(after, "code="):
		return "has more than an entry point: give " + entryPoint + " alone"
	}
	return fmt.Sprintf("has %.100q too much: give %s alone", before+after, entryPoint)
}

// cutEntryPoint finds the longest entry point at the end of the value's path.
func cutEntryPoint(value string) (before, entryPoint, after string) {
	path, _, _ := strings.Cut(value, "?")
	path, _, _ = strings.Cut(path, "#")
	path, _, _ = strings.Cut(path, "/sheets/")
	path = strings.TrimSuffix(path, "/")
	for start := range path {
		if isEntryPoint(path[start:]) {
			return path[:start], path[start:], value[len(path):]
		}
	}
	return "", "", ""
}

// userArnProblem returns what is wrong with a UserArn, or "". The account is AwsAccountId, or "" if
// that is malformed. arn.Parse is not used: it allocates, and does not say what is missing.
func userArnProblem(userArn, account string) string {
	var parts [5]string // arn, partition, service, region, account
	rest := userArn
	for i := range parts {
		parts[i], rest, _ = strings.Cut(rest, ":")
	}
	prefix, partition, service, region, arnAccount := parts[0], parts[1], parts[2], parts[3], parts[4]
	resource, isUser := strings.CutPrefix(rest, "user/")
	namespace, name, _ := strings.Cut(resource, "/")
	switch {
	case prefix != "arn" || !isPartition(partition) || service != "quicksight" || strings.Count(userArn, ":") < 3:
		return userArnForm
	case region == "" || isAccountID(region) && strings.HasPrefix(arnAccount, "user/"):
		return "has no region: it " + userArnForm
	case !isHostLabel(region):
		return "has no region that can be one: it " + userArnForm
	case !isAccountID(arnAccount):
		return "has no account of 12 digits: it " + userArnForm
	case !isUser || name == "":
		return userArnForm
	case !consistsOf(namespace, 64, "._-"):
		return "must have a namespace of 1 to 64 letters, digits, \".\", \"_\" or \"-\" after user/"
	case !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl):
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

// isHostLabel reports whether s is one label of a host name, and so cannot change the host.
func isHostLabel(s string) bool {
	return smithyhttp.ValidHostLabel(s) && s[0] != '-' && s[len(s)-1] != '-'
}

// consistsOf reports whether s has 1 to most characters: ASCII letters, digits and others.
func consistsOf(s string, most int, others string) bool {
	for _, c := range []byte(s) {
		isLetterOrDigit := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !isLetterOrDigit && strings.IndexByte(others, c) < 0 {
			return false
		}
	}
	return 1 <= len(s) && len(s) <= most
}
