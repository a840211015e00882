// The service behind the proxy that wire-clients.sh judges, `wire serve`, and Go's client, `wire h1|h2 URL` with SSL_CERT_FILE set, which prints a line
// for each check: its name, and `ok` or what is wrong.
package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

const size = 10_000_000

type echo struct {
	Method, Uri, Proto, Sha string
	Length                  int64
	Fields, Trailers        http.Header
}

func main() {
	if os.Args[1] == "serve" {
		serve()
	} else {
		client(os.Args[1], os.Args[2])
	}
}

func serve() {
	var lock sync.Mutex
	gone := map[string]bool{}
	http.HandleFunc("/wire/echo", echoed)
	http.HandleFunc("/wire/echo/", echoed)
	http.HandleFunc("/wire/events", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for i := 0; i < 5 && r.Context().Err() == nil; i++ {
			fmt.Fprintf(w, "data: %d\n\n", i)
			w.(http.Flusher).Flush()
			time.Sleep(150 * time.Millisecond)
		}
	})
	http.HandleFunc("/wire/slow", func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(500 * time.Millisecond)
		fmt.Fprint(w, "late")
	})
	http.HandleFunc("/wire/endless", func(w http.ResponseWriter, r *http.Request) {
		block := make([]byte, 10_000)
		for r.Context().Err() == nil {
			w.Write(block)
			w.(http.Flusher).Flush()
			time.Sleep(10 * time.Millisecond)
		}
		lock.Lock()
		gone[r.URL.RawQuery] = true
		lock.Unlock()
	})
	http.HandleFunc("/wire/gone", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		for until := time.Now().Add(5 * time.Second); time.Now().Before(until); time.Sleep(10 * time.Millisecond) {
			lock.Lock()
			is := gone[r.URL.RawQuery]
			lock.Unlock()
			if is {
				fmt.Fprint(w, "gone")
				return
			}
		}
		fmt.Fprint(w, "the service was not told within 5 s")
	})
	reports := make(chan []byte, 1)
	http.HandleFunc("/wire/report", func(w http.ResponseWriter, r *http.Request) { // a browser posts it, and whoever waits gets it
		if r.Method == "POST" {
			report, _ := io.ReadAll(r.Body)
			reports <- report
			return
		}
		select {
		case report := <-reports:
			w.Write(report)
		case <-r.Context().Done():
		}
	})
	http.HandleFunc("/wire/socket", socket)
	http.HandleFunc("/wire/page", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		http.ServeFile(w, r, os.Args[2])
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	fmt.Printf("ready http://%s/\n", listener.Addr())
	must(http.Serve(listener, nil))
}

func echoed(w http.ResponseWriter, r *http.Request) {
	sum := sha256.New()
	n, err := io.Copy(sum, r.Body)
	if err != nil {
		return
	}
	sha := hex.EncodeToString(sum.Sum(nil))
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Trailer", "X-Sum")
	json.NewEncoder(w).Encode(echo{r.Method, r.RequestURI, r.Proto, sha, n, r.Header, r.Trailer})
	w.Header().Set("X-Sum", sha)
}

func socket(w http.ResponseWriter, r *http.Request) {
	accept := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	connection, stream, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer connection.Close()
	fmt.Fprintf(connection, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
		base64.StdEncoding.EncodeToString(accept[:]))
	for {
		head := make([]byte, 2)
		if _, err := io.ReadFull(stream, head); err != nil {
			return
		}
		length := int(head[1] & 0x7f)
		if length == 126 {
			more := make([]byte, 2)
			io.ReadFull(stream, more)
			length = int(binary.BigEndian.Uint16(more))
		}
		mask, data := make([]byte, 4), make([]byte, length)
		io.ReadFull(stream, mask)
		if _, err := io.ReadFull(stream, data); err != nil || length > 125 {
			return
		}
		for i := range data {
			data[i] ^= mask[i%4]
		}
		connection.Write(append([]byte{head[0], byte(length)}, data...))
		if head[0]&0x0f == 8 {
			return
		}
	}
}

func client(protocol, url string) {
	transport := &http.Transport{ForceAttemptHTTP2: protocol == "h2", MaxIdleConnsPerHost: 100}
	if protocol == "h1" {
		transport.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
	}
	client := &http.Client{Transport: transport, Timeout: 60 * time.Second}
	proto := map[string]string{"h1": "HTTP/1.1", "h2": "HTTP/2.0"}[protocol]
	body := make([]byte, size)
	rand.Read(body)
	sum := sha256.Sum256(body)
	sha := hex.EncodeToString(sum[:])

	check("get", func() any {
		response, err := client.Get(url + "wire/echo?a=b")
		must(err)
		var said echo
		must(json.NewDecoder(response.Body).Decode(&said))
		return wanted(response.Proto+" "+said.Uri, proto+" /wire/echo?a=b")
	})
	check("post", func() any {
		response, err := client.Post(url+"wire/echo", "a/b", bytes.NewReader(body))
		must(err)
		var said echo
		must(json.NewDecoder(response.Body).Decode(&said))
		return wanted(said.Sha, sha)
	})
	check("trailers", func() any {
		request, err := http.NewRequest("POST", url+"wire/echo", io.MultiReader(bytes.NewReader(body)))
		must(err)
		request.Trailer = http.Header{"X-Mine": {"1"}}
		response, err := client.Do(request)
		must(err)
		var said echo
		content, err := io.ReadAll(response.Body)
		must(err)
		must(json.Unmarshal(content, &said))
		return wanted(fmt.Sprint(said.Trailers.Get("X-Mine"), " ", response.Trailer.Get("X-Sum")), "1 "+sha)
	})
	check("events", func() any {
		response, err := client.Get(url + "wire/events")
		must(err)
		first := make([]byte, 9)
		_, err = io.ReadFull(response.Body, first)
		must(err)
		begin := time.Now()
		rest, err := io.ReadAll(response.Body)
		must(err)
		if waited := time.Since(begin); waited < 300*time.Millisecond {
			return fmt.Sprintf("all at once, %v after the first", waited)
		}
		return wanted(string(first)+string(rest), "data: 0\n\ndata: 1\n\ndata: 2\n\ndata: 3\n\ndata: 4\n\n")
	})
	check("parallel", func() any {
		answers := make(chan any, 100)
		for i := 0; i < 100; i++ {
			go func() {
				response, err := client.Get(url + "wire/echo?n=" + strconv.Itoa(i))
				if err != nil {
					answers <- err
					return
				}
				var said echo
				json.NewDecoder(response.Body).Decode(&said)
				answers <- wanted(said.Uri, "/wire/echo?n="+strconv.Itoa(i))
			}()
		}
		for i := 0; i < 100; i++ {
			if answer := <-answers; answer != nil {
				return answer
			}
		}
		return nil
	})
	check("cancel", func() any {
		id := fmt.Sprint("go-", protocol, time.Now().UnixNano())
		ctx, cancel := context.WithCancel(context.Background())
		request, err := http.NewRequestWithContext(ctx, "GET", url+"wire/endless?"+id, nil)
		must(err)
		response, err := client.Do(request)
		must(err)
		_, err = io.ReadFull(response.Body, make([]byte, 50_000))
		must(err)
		cancel()
		response, err = client.Get(url + "wire/gone?" + id)
		must(err)
		said, err := io.ReadAll(response.Body)
		must(err)
		return wanted(string(said), "gone")
	})
}

func check(name string, what func() any) {
	defer func() {
		if e := recover(); e != nil {
			fmt.Println(name, strings.ReplaceAll(fmt.Sprint(e), "\n", " "))
		}
	}()
	if wrong := what(); wrong != nil {
		fmt.Println(name, wrong)
	} else {
		fmt.Println(name, "ok")
	}
}

func wanted(seen, wanted string) any {
	if seen == wanted {
		return nil
	}
	return fmt.Sprintf("%.200q (expected: %.200q)", seen, wanted)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
