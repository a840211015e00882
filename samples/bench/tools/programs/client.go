// A program in Go behind a proxy: `client URL`, with SSL_CERT_FILE set. Over HTTP/1.1, then over HTTP/2.
package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

const size = 3_000_000

func main() {
	url := os.Args[1]
	for _, proto := range []string{"HTTP/1.1", "HTTP/2.0"} {
		transport := &http.Transport{ForceAttemptHTTP2: proto == "HTTP/2.0"}
		if proto == "HTTP/1.1" {
			transport.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
		}
		client := &http.Client{Transport: transport, Timeout: 60 * time.Second}
		body := bytes.Repeat([]byte("x"), size)
		send := func(method, path string, body io.Reader, user bool) (*http.Response, []byte) {
			request, err := http.NewRequest(method, url+path, body)
			must(err)
			if user {
				request.SetBasicAuth("user", "secret")
			}
			response, err := client.Do(request)
			must(err)
			content, err := io.ReadAll(response.Body)
			must(err)
			response.Body.Close()
			check("protocol", response.Proto, proto)
			return response, content
		}
		response, _ := send("POST", "upload", bytes.NewReader(bytes.Repeat(body, 3)), false)
		check("early 401", response.StatusCode, 401)
		for i := 0; i < 20; i++ {
			response, _ = send("GET", "api/hello", nil, true)
			check("hello", response.StatusCode, 200)
		}
		_, content := send("GET", fmt.Sprintf("download/a?size=%d", size), nil, true)
		check("download", len(content), size)
		var upload struct{ Bytes int }
		_, content = send("POST", "upload", bytes.NewReader(body), true)
		must(json.Unmarshal(content, &upload))
		check("length", upload.Bytes, size)
		_, content = send("POST", "upload", io.MultiReader(bytes.NewReader(body)), true)
		must(json.Unmarshal(content, &upload))
		check("chunked", upload.Bytes, size)
		// a request that is given up: the connection or the stream ends, and the next one works
		ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
		request, err := http.NewRequestWithContext(ctx, "GET", url+"slow?ms=5000", nil)
		must(err)
		request.SetBasicAuth("user", "secret")
		if _, err = client.Do(request); err == nil {
			check("given up", "answered", "no answer")
		}
		cancel()
		response, _ = send("GET", "api/hello", nil, true)
		check("afterwards", response.StatusCode, 200)
	}
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func check(what string, seen, wanted any) {
	if seen != wanted {
		fmt.Fprintf(os.Stderr, "%s: %v (expected: %v)\n", what, seen, wanted)
		os.Exit(1)
	}
}
