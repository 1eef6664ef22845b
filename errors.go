package quicksightembed

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/protocol/restjson"
	"github.com/aws/smithy-go"
)

// AccessDeniedException means that the credentials are not valid, or that their policies do not allow
// quicksight:GetSessionEmbedUrl in this account.
type AccessDeniedException struct{ Message, ErrorCodeOverride, RequestId *string }

func (e *AccessDeniedException) Error() string { return exceptionText(e) }
func (e *AccessDeniedException) ErrorCode() string {
	return exceptionCode(e.ErrorCodeOverride, "AccessDeniedException")
}
func (e *AccessDeniedException) ErrorMessage() string          { return aws.ToString(e.Message) }
func (e *AccessDeniedException) ErrorFault() smithy.ErrorFault { return smithy.FaultClient }

// InternalFailureException means that the service failed. With its status, 500, it has been retried where the Retryer allows.
type InternalFailureException struct{ Message, ErrorCodeOverride, RequestId *string }

func (e *InternalFailureException) Error() string { return exceptionText(e) }
func (e *InternalFailureException) ErrorCode() string {
	return exceptionCode(e.ErrorCodeOverride, "InternalFailureException")
}
func (e *InternalFailureException) ErrorMessage() string          { return aws.ToString(e.Message) }
func (e *InternalFailureException) ErrorFault() smithy.ErrorFault { return smithy.FaultServer }

// InvalidParameterValueException means that a parameter has a value that the service does not take.
type InvalidParameterValueException struct{ Message, ErrorCodeOverride, RequestId *string }

func (e *InvalidParameterValueException) Error() string { return exceptionText(e) }
func (e *InvalidParameterValueException) ErrorCode() string {
	return exceptionCode(e.ErrorCodeOverride, "InvalidParameterValueException")
}
func (e *InvalidParameterValueException) ErrorMessage() string          { return aws.ToString(e.Message) }
func (e *InvalidParameterValueException) ErrorFault() smithy.ErrorFault { return smithy.FaultClient }

// QuickSightUserNotFoundException means that the user, or the role session that signed the call, is not a QuickSight user of
// the account. Register the user first.
type QuickSightUserNotFoundException struct{ Message, ErrorCodeOverride, RequestId *string }

func (e *QuickSightUserNotFoundException) Error() string { return exceptionText(e) }
func (e *QuickSightUserNotFoundException) ErrorCode() string {
	return exceptionCode(e.ErrorCodeOverride, "QuickSightUserNotFoundException")
}
func (e *QuickSightUserNotFoundException) ErrorMessage() string          { return aws.ToString(e.Message) }
func (e *QuickSightUserNotFoundException) ErrorFault() smithy.ErrorFault { return smithy.FaultClient }

// ResourceExistsException means that a resource of this kind exists already.
type ResourceExistsException struct {
	Message, ErrorCodeOverride *string
	ResourceType               ExceptionResourceType
	RequestId                  *string
}

func (e *ResourceExistsException) Error() string { return exceptionText(e) }
func (e *ResourceExistsException) ErrorCode() string {
	return exceptionCode(e.ErrorCodeOverride, "ResourceExistsException")
}
func (e *ResourceExistsException) ErrorMessage() string          { return aws.ToString(e.Message) }
func (e *ResourceExistsException) ErrorFault() smithy.ErrorFault { return smithy.FaultClient }

// ResourceNotFoundException means that the account's subscription, or the dashboard or analysis of the entry point, does not
// exist.
type ResourceNotFoundException struct {
	Message, ErrorCodeOverride *string
	ResourceType               ExceptionResourceType
	RequestId                  *string
}

func (e *ResourceNotFoundException) Error() string { return exceptionText(e) }
func (e *ResourceNotFoundException) ErrorCode() string {
	return exceptionCode(e.ErrorCodeOverride, "ResourceNotFoundException")
}
func (e *ResourceNotFoundException) ErrorMessage() string          { return aws.ToString(e.Message) }
func (e *ResourceNotFoundException) ErrorFault() smithy.ErrorFault { return smithy.FaultClient }

// SessionLifetimeInMinutesInvalidException means that the lifetime is not one that the service takes, 15 to 600 minutes.
type SessionLifetimeInMinutesInvalidException struct{ Message, ErrorCodeOverride, RequestId *string }

func (e *SessionLifetimeInMinutesInvalidException) Error() string { return exceptionText(e) }
func (e *SessionLifetimeInMinutesInvalidException) ErrorCode() string {
	return exceptionCode(e.ErrorCodeOverride, "SessionLifetimeInMinutesInvalidException")
}
func (e *SessionLifetimeInMinutesInvalidException) ErrorMessage() string {
	return aws.ToString(e.Message)
}
func (e *SessionLifetimeInMinutesInvalidException) ErrorFault() smithy.ErrorFault {
	return smithy.FaultClient
}

// ThrottlingException means too many calls. It has been retried where the Retryer allows, with a delay.
type ThrottlingException struct{ Message, ErrorCodeOverride, RequestId *string }

func (e *ThrottlingException) Error() string { return exceptionText(e) }
func (e *ThrottlingException) ErrorCode() string {
	return exceptionCode(e.ErrorCodeOverride, "ThrottlingException")
}
func (e *ThrottlingException) ErrorMessage() string          { return aws.ToString(e.Message) }
func (e *ThrottlingException) ErrorFault() smithy.ErrorFault { return smithy.FaultClient }

// UnsupportedUserEditionException means that the account's QuickSight edition lacks the operation, which needs Enterprise
// edition.
type UnsupportedUserEditionException struct{ Message, ErrorCodeOverride, RequestId *string }

func (e *UnsupportedUserEditionException) Error() string { return exceptionText(e) }
func (e *UnsupportedUserEditionException) ErrorCode() string {
	return exceptionCode(e.ErrorCodeOverride, "UnsupportedUserEditionException")
}
func (e *UnsupportedUserEditionException) ErrorMessage() string          { return aws.ToString(e.Message) }
func (e *UnsupportedUserEditionException) ErrorFault() smithy.ErrorFault { return smithy.FaultClient }

// ExceptionResourceType is the kind of resource that a [ResourceNotFoundException] or [ResourceExistsException] is about.
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

func exceptionText(e smithy.APIError) string { return e.ErrorCode() + ": " + e.ErrorMessage() }

func exceptionCode(override *string, code string) string {
	if override != nil {
		return *override
	}
	return code
}

// decodeError decodes an error of QuickSight's own form: the code from the header, else from the body.
func (r reply) decodeError(doc document) error {
	bodyCode, message, err := restjson.GetErrorInfo(json.NewDecoder(bytes.NewReader(r.body)))
	if err != nil {
		return r.unreadable(wrongType(err))
	}
	return r.errorFrom(doc, cmp.Or(r.response.Header.Get("X-Amzn-ErrorType"), bodyCode), message)
}

// decodeEnvelopeError decodes the error of a gateway's envelope, whose code beats the header's.
func (r reply) decodeEnvelopeError(envelope document) error {
	doc, err := envelope.object("error")
	if err != nil {
		return r.unreadable(err)
	}
	if doc == nil {
		return r.errorFrom(nil, "", "")
	}
	var code, message *string
	if err := cmp.Or(doc.text(&code, "code"), doc.text(&message, "message", "Message")); err != nil {
		return r.unreadable(err)
	}
	return r.errorFrom(doc, cmp.Or(aws.ToString(code), r.response.Header.Get("X-Amzn-ErrorType")), aws.ToString(message))
}

// errorFrom makes the error of a code: an exception from the document that describes it, or a generic error.
func (r reply) errorFrom(doc document, code, message string) error {
	const unknown = "UnknownError"
	code = restjson.SanitizeErrorCode(cmp.Or(code, unknown))
	exception, err := r.decodeException(code, doc)
	switch {
	case err != nil:
		return r.unreadable(err)
	case exception != nil:
		return exception
	}
	return &smithy.GenericAPIError{Code: r.hideSecrets(code), Message: r.hideSecrets(cmp.Or(message, unknown))}
}

// decodeException decodes the exception of an error code, in any case, or returns nil where the operation has none.
func (r reply) decodeException(code string, doc document) (exception, err error) {
	var message, id, resource *string
	err = cmp.Or(doc.text(&message, "message", "Message"), doc.text(&id, "RequestId"))
	resourceErr := doc.text(&resource, "ResourceType")
	resourceType := ExceptionResourceType(aws.ToString(resource))
	if message != nil {
		*message = r.hideSecrets(*message)
	}
	is := func(name string) bool { return strings.EqualFold(code, name) }
	switch {
	case is("AccessDeniedException"):
		return &AccessDeniedException{Message: message, RequestId: id}, err
	case is("InternalFailureException"):
		return &InternalFailureException{Message: message, RequestId: id}, err
	case is("InvalidParameterValueException"):
		return &InvalidParameterValueException{Message: message, RequestId: id}, err
	case is("QuickSightUserNotFoundException"):
		return &QuickSightUserNotFoundException{Message: message, RequestId: id}, err
	case is("ResourceExistsException"):
		return &ResourceExistsException{Message: message, RequestId: id, ResourceType: resourceType}, cmp.Or(err, resourceErr)
	case is("ResourceNotFoundException"):
		return &ResourceNotFoundException{Message: message, RequestId: id, ResourceType: resourceType}, cmp.Or(err, resourceErr)
	case is("SessionLifetimeInMinutesInvalidException"):
		return &SessionLifetimeInMinutesInvalidException{Message: message, RequestId: id}, err
	case is("ThrottlingException"):
		return &ThrottlingException{Message: message, RequestId: id}, err
	case is("UnsupportedUserEditionException"):
		return &UnsupportedUserEditionException{Message: message, RequestId: id}, err
	}
	return nil, nil
}

// unreadable is the error for a reply that cannot be decoded.
func (r reply) unreadable(err error) error {
	what := fmt.Sprintf("the reply (content type %q)", r.response.Header.Get("Content-Type"))
	if location := r.response.Header.Get("Location"); location != "" {
		what = fmt.Sprintf("the reply (a redirect to %q, which is not followed)", location)
	}
	return &smithy.DeserializationError{
		Err:      fmt.Errorf("%s cannot be read: %w", r.hideSecrets(what), err),
		Snapshot: r.printableBody(1024),
	}
}

// wrongType says in the words of JSON that the reply, or a value in it, is of the wrong type, where the decoder speaks of types
// of Go. It returns other errors as they are.
func wrongType(err error) error {
	var wrong *json.UnmarshalTypeError
	if !errors.As(err, &wrong) {
		return err
	}
	want := "an object"
	if wrong.Type.Kind() == reflect.String {
		want = "a string"
	}
	return fmt.Errorf("%s is of the type %s and must be %s", cmp.Or(wrong.Field, "it"), wrong.Value, want)
}

// attemptTimeoutError is why a try was broken off where the caller's context still lives.
type attemptTimeoutError struct{ after time.Duration }

func (e *attemptTimeoutError) Error() string {
	return fmt.Sprintf("no complete reply within the attempt timeout of %s", e.after)
}

// Timeout makes the try's error one that aws/retry repeats.
func (e *attemptTimeoutError) Timeout() bool { return true }

var errNilContext = errors.New("the context is nil: pass context.Background() where there is none")

var errNoCredentials = errors.New("no credentials: set Options.Credentials, or load them with config.LoadDefaultConfig; " +
	"GetSessionEmbedUrl has no unsigned form")
