// Package peers tests this project beside the official client, the AWS CLI and the SDKs of other
// languages. It also tests the API, the budget and the documents. compat is a separate module, so
// that importers of the library do not get its requirements.
package peers
