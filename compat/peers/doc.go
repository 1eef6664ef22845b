// Package peers tests this client beside others: the official client, the AWS CLI and the SDKs of
// other languages. It also tests the API, the budget and the documents. What it needs is in a
// module of its own, so that importers of the library do not need it.
package peers
