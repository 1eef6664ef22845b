// Command nethttp sends a request with net/http alone: what a program has that is any backend.
package main

import (
	"context"
	"fmt"
	"net/http"
)

func main() {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "https://quicksight.us-east-1.amazonaws.com/accounts/111122223333/session-embed-url", nil)
	if err != nil {
		panic(err)
	}
	resp, err := http.DefaultClient.Do(req)
	fmt.Println(resp, err)
}
