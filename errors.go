package quicksightembed

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/aws/smithy-go"
)

// CredentialsError means that the credentials provider failed, or had no keys.
type CredentialsError struct{ Err error }

// Error is "get identity: " and the text of Err, with URLs redacted.
func (e *CredentialsError) Error() string {
	return hideURLs(fmt.Sprintf("get identity: %v", e.Unwrap()))
}

// Unwrap returns Err.
func (e *CredentialsError) Unwrap() error {
	if e == nil {
		return nil
	}
	return e.Err
}

// AccessDeniedException means that IAM denies the call in this account.
type AccessDeniedException struct{ Message, ErrorCodeOverride, RequestId *string }

func (e *AccessDeniedException) Error() string                 { return exceptionText(e) }
func (e *AccessDeniedException) ErrorCode() string             { return exceptionCode(e) }
func (e *AccessDeniedException) ErrorMessage() string          { return exceptionMessage(e) }
func (e *AccessDeniedException) ErrorFault() smithy.ErrorFault { return smithy.FaultClient }

// InternalFailureException means that the service failed, after retries.
type InternalFailureException struct{ Message, ErrorCodeOverride, RequestId *string }

func (e *InternalFailureException) Error() string                 { return exceptionText(e) }
func (e *InternalFailureException) ErrorCode() string             { return exceptionCode(e) }
func (e *InternalFailureException) ErrorMessage() string          { return exceptionMessage(e) }
func (e *InternalFailureException) ErrorFault() smithy.ErrorFault { return smithy.FaultServer }

// InvalidParameterValueException means that the service refuses a value.
type InvalidParameterValueException struct{ Message, ErrorCodeOverride, RequestId *string }

func (e *InvalidParameterValueException) Error() string                 { return exceptionText(e) }
func (e *InvalidParameterValueException) ErrorCode() string             { return exceptionCode(e) }
func (e *InvalidParameterValueException) ErrorMessage() string          { return exceptionMessage(e) }
func (e *InvalidParameterValueException) ErrorFault() smithy.ErrorFault { return smithy.FaultClient }

// QuickSightUserNotFoundException means that the user is not registered, or that the region in
// UserArn is not the account's identity region.
type QuickSightUserNotFoundException struct{ Message, ErrorCodeOverride, RequestId *string }

func (e *QuickSightUserNotFoundException) Error() string                 { return exceptionText(e) }
func (e *QuickSightUserNotFoundException) ErrorCode() string             { return exceptionCode(e) }
func (e *QuickSightUserNotFoundException) ErrorMessage() string          { return exceptionMessage(e) }
func (e *QuickSightUserNotFoundException) ErrorFault() smithy.ErrorFault { return smithy.FaultClient }

// ResourceExistsException means that a resource exists already.
type ResourceExistsException struct {
	Message, ErrorCodeOverride, RequestId *string
	ResourceType                          ExceptionResourceType
}

func (e *ResourceExistsException) Error() string                 { return exceptionText(e) }
func (e *ResourceExistsException) ErrorCode() string             { return exceptionCode(e) }
func (e *ResourceExistsException) ErrorMessage() string          { return exceptionMessage(e) }
func (e *ResourceExistsException) ErrorFault() smithy.ErrorFault { return smithy.FaultClient }

// ResourceNotFoundException means no such subscription, dashboard or analysis.
type ResourceNotFoundException struct {
	Message, ErrorCodeOverride, RequestId *string
	ResourceType                          ExceptionResourceType
}

func (e *ResourceNotFoundException) Error() string                 { return exceptionText(e) }
func (e *ResourceNotFoundException) ErrorCode() string             { return exceptionCode(e) }
func (e *ResourceNotFoundException) ErrorMessage() string          { return exceptionMessage(e) }
func (e *ResourceNotFoundException) ErrorFault() smithy.ErrorFault { return smithy.FaultClient }

// SessionLifetimeInMinutesInvalidException means: not 15 to 600 minutes.
type SessionLifetimeInMinutesInvalidException struct{ Message, ErrorCodeOverride, RequestId *string }

func (e *SessionLifetimeInMinutesInvalidException) Error() string        { return exceptionText(e) }
func (e *SessionLifetimeInMinutesInvalidException) ErrorCode() string    { return exceptionCode(e) }
func (e *SessionLifetimeInMinutesInvalidException) ErrorMessage() string { return exceptionMessage(e) }
func (e *SessionLifetimeInMinutesInvalidException) ErrorFault() smithy.ErrorFault {
	return smithy.FaultClient
}

// ThrottlingException means too many calls, after retries with a delay.
type ThrottlingException struct{ Message, ErrorCodeOverride, RequestId *string }

func (e *ThrottlingException) Error() string                 { return exceptionText(e) }
func (e *ThrottlingException) ErrorCode() string             { return exceptionCode(e) }
func (e *ThrottlingException) ErrorMessage() string          { return exceptionMessage(e) }
func (e *ThrottlingException) ErrorFault() smithy.ErrorFault { return smithy.FaultClient }

// UnsupportedUserEditionException means that the edition is not Enterprise.
type UnsupportedUserEditionException struct{ Message, ErrorCodeOverride, RequestId *string }

func (e *UnsupportedUserEditionException) Error() string                 { return exceptionText(e) }
func (e *UnsupportedUserEditionException) ErrorCode() string             { return exceptionCode(e) }
func (e *UnsupportedUserEditionException) ErrorMessage() string          { return exceptionMessage(e) }
func (e *UnsupportedUserEditionException) ErrorFault() smithy.ErrorFault { return smithy.FaultClient }

func exceptionText(e smithy.APIError) string { return e.ErrorCode() + ": " + e.ErrorMessage() }

// exceptionCode is the name of the exception's type, unless it is overridden.
func exceptionCode(e smithy.APIError) string {
	return exceptionField(e, 1, reflect.TypeOf(e).Elem().Name())
}

func exceptionMessage(e smithy.APIError) string { return exceptionField(e, 0, "") }

// exceptionField returns field 0 of an exception, Message, or field 1, ErrorCodeOverride; or, if it
// is not set, the other text.
func exceptionField(e smithy.APIError, i int, other string) string {
	value := reflect.ValueOf(e)
	if value.IsNil() {
		return other
	}
	return *cmp.Or(value.Elem().Field(i).Interface().(*string), &other)
}

var exceptions = []smithy.APIError{
	&AccessDeniedException{}, &InternalFailureException{}, &InvalidParameterValueException{},
	&QuickSightUserNotFoundException{}, &ResourceExistsException{}, &ResourceNotFoundException{},
	&SessionLifetimeInMinutesInvalidException{}, &ThrottlingException{}, &UnsupportedUserEditionException{},
}

// newException returns the exception for a code, in upper or lower case, or nil. The document has
// its fields.
func newException(code string, doc document) error {
	i := slices.IndexFunc(exceptions, func(e smithy.APIError) bool { return strings.EqualFold(e.ErrorCode(), code) })
	if i < 0 {
		return nil
	}
	exception := reflect.New(reflect.TypeOf(exceptions[i]).Elem())
	for _, name := range []string{"Message", "RequestId", "ResourceType"} {
		if field := exception.Elem().FieldByName(name); field.IsValid() {
			field.Set(reflect.ValueOf(doc).FieldByName(name))
		}
	}
	return exception.Interface().(error)
}

// ExceptionResourceType is the kind of resource that an exception is about.
type ExceptionResourceType string

// The kinds of resource. The service may send others.
const (
	ExceptionResourceTypeUser                ExceptionResourceType = "USER"
	ExceptionResourceTypeGroup               ExceptionResourceType = "GROUP"
	ExceptionResourceTypeNamespace           ExceptionResourceType = "NAMESPACE"
	ExceptionResourceTypeAccountSettings     ExceptionResourceType = "ACCOUNT_SETTINGS"
	ExceptionResourceTypeIampolicyAssignment ExceptionResourceType = "IAMPOLICY_ASSIGNMENT"
	ExceptionResourceTypeDataSource          ExceptionResourceType = "DATA_SOURCE"
	ExceptionResourceTypeDataSet             ExceptionResourceType = "DATA_SET"
	ExceptionResourceTypeVpcConnection       ExceptionResourceType = "VPC_CONNECTION"
	ExceptionResourceTypeIngestion           ExceptionResourceType = "INGESTION"
)
