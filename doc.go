// Package quicksightembed is a thin, typed client for one operation of Amazon QuickSight, GetSessionEmbedUrl: it returns a
// single-use URL that a web page puts into an iframe, to show the QuickSight console to one user.
//
//	cfg, err := config.LoadDefaultConfig(ctx) // github.com/aws/aws-sdk-go-v2/config
//	if err != nil {
//		return err
//	}
//	client := quicksightembed.NewFromConfig(cfg) // one a process
//
//	out, err := client.GetSessionEmbedUrl(ctx, &quicksightembed.GetSessionEmbedUrlInput{
//		AwsAccountId: aws.String("111122223333"),
//		EntryPoint:   aws.String(quicksightembed.EntryPointDashboards),
//		UserArn:      aws.String("arn:aws:quicksight:us-east-1:111122223333:user/default/jane"),
//	})
//	var userNotFound *quicksightembed.QuickSightUserNotFoundException
//	switch {
//	case errors.As(err, &userNotFound):
//		// ask the user to register
//	case err != nil:
//		return err
//	}
//	// Send *out.EmbedUrl to the page: it can be opened once, within 5 minutes.
//
// It makes three promises:
//
//   - Drop-in: for this operation it is source-compatible with github.com/aws/aws-sdk-go-v2/service/quicksight, and the same
//     on the wire. Names are therefore those of the AWS API model (AwsAccountId, EmbedUrl, UserArn) and not Go's initialisms,
//     which also makes the AWS documentation, IAM action names and this package searchable with one word.
//   - Thin: it costs a fraction of that client's compile time, memory and allocations, and depends on the core of
//     aws-sdk-go-v2 and on smithy-go alone.
//   - Safe and testable: bad input never leaves the process, secrets never reach a log, nothing hangs, and package embedtest
//     is a QuickSight in the process that verifies signatures as AWS does.
//
// # Errors
//
// [Client.GetSessionEmbedUrl] lists what its errors are. The types whose names end in Exception are what QuickSight documents for
// the operation. Code uses pointers to them, for example as the target of errors.As. Each is a smithy.APIError: Error is its code
// and message, ErrorCode the name of the type, ErrorMessage the Message, ErrorFault who has to act. RequestId is the one in the
// reply's body. ErrorCodeOverride, which only code of your own sets, changes what ErrorCode returns. See
// https://docs.aws.amazon.com/quicksight/latest/APIReference/API_GetSessionEmbedUrl.html#API_GetSessionEmbedUrl_Errors
package quicksightembed
