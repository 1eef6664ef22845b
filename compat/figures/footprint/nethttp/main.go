// Command nethttp sends the request with net/http alone, unsigned, and decodes the reply. It is the
// baseline: any backend does as much.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
)

func main() {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "https://quicksight.us-east-1.amazonaws.com/accounts/111122223333/session-embed-url", nil)
	if err != nil {
		panic(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		panic(err)
	}
	defer resp.Body.Close()
	var out struct{ EmbedUrl, RequestId string }
	err = json.NewDecoder(resp.Body).Decode(&out)
	fmt.Println(out, err)
}
