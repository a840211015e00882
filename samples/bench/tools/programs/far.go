// Large bodies over a long way: `far serve` is the service behind the proxies, in cleartext on 127.0.0.1, by HTTP/1.1 and h2c; `far down URL FILE` and
// `far up URL FILE ANSWER` are clients with SSL_CERT_FILE set, which print the version of HTTP that was spoken.
//
// The bytes are those of AES-128 in counter mode with a key and a vector of zeros. An upload is answered by its length and SHA-256.
package main

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
)

func main() {
	switch os.Args[1] {
	case "serve":
		serve()
	case "down":
		response, err := client().Get(os.Args[2])
		must(err)
		file, err := os.Create(os.Args[3])
		must(err)
		_, err = io.CopyBuffer(struct{ io.Writer }{file}, response.Body, make([]byte, 1<<18))
		must(err)
		must(file.Close())
		fmt.Print(response.ProtoMajor)
	case "up":
		file, err := os.Open(os.Args[3])
		must(err)
		info, err := file.Stat()
		must(err)
		request, err := http.NewRequest("PUT", os.Args[2], file)
		must(err)
		request.ContentLength = info.Size()
		response, err := client().Do(request)
		must(err)
		said, err := io.ReadAll(response.Body)
		must(err)
		must(os.WriteFile(os.Args[4], said, 0o600))
		fmt.Print(response.ProtoMajor)
	}
}

func client() *http.Client {
	return &http.Client{Transport: &http.Transport{ForceAttemptHTTP2: true, WriteBufferSize: 1 << 18, ReadBufferSize: 1 << 18}}
}

func serve() {
	http.HandleFunc("/down", func(w http.ResponseWriter, r *http.Request) {
		left, err := strconv.ParseInt(r.URL.Query().Get("size"), 10, 64)
		if err != nil {
			http.Error(w, "size", 400)
			return
		}
		w.Header().Set("Content-Length", strconv.FormatInt(left, 10))
		block, err := aes.NewCipher(make([]byte, 16))
		must(err)
		stream := cipher.NewCTR(block, make([]byte, 16))
		zeros, buffer := make([]byte, 1<<18), make([]byte, 1<<18)
		for left > 0 {
			n := min(left, int64(len(buffer)))
			stream.XORKeyStream(buffer[:n], zeros[:n])
			if _, err := w.Write(buffer[:n]); err != nil {
				return
			}
			left -= n
		}
	})
	http.HandleFunc("/up", func(w http.ResponseWriter, r *http.Request) {
		sum := sha256.New()
		n, err := io.CopyBuffer(sum, r.Body, make([]byte, 1<<18))
		if err == nil {
			fmt.Fprintf(w, "%d %s", n, hex.EncodeToString(sum.Sum(nil)))
		}
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	fmt.Printf("ready http://%s/\n", listener.Addr())
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	windows := &http.HTTP2Config{MaxReceiveBufferPerConnection: 64 << 20, MaxReceiveBufferPerStream: 32 << 20, MaxReadFrameSize: 1 << 20}
	server := &http.Server{Protocols: &protocols, HTTP2: windows}
	must(server.Serve(listener))
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
