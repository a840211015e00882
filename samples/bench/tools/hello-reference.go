// Reads ClientHellos with Go's crypto/tls, every single-byte change of each, and writes which rule each is for:
// a reference for tests of another parser that was not written by the same people.
//
// usage: go run hello-reference.go FILE...    writes FILE.expected beside each
//
// The rules, in order, for a client that names www.example.com:
//
//	alpn      the name www.example.com, and h2 is offered
//	name      the name www.example.com
//	wildcard  another name one level below example.com
//	none      no name
//	-         no rule
//	!         Go refuses the hello
//
// A line "POSITION FROM-TO RULE" is for the values of one byte that change the answer; the first line is the hello's own.
package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"
)

const name, domain = "www.example.com", ".example.com"

// input is a connection whose client has sent some bytes and nothing else.
type input struct{ *bytes.Reader }

func (input) Write(b []byte) (int, error)        { return len(b), nil }
func (input) Close() error                       { return nil }
func (input) LocalAddr() net.Addr                { return &net.TCPAddr{} }
func (input) RemoteAddr() net.Addr               { return &net.TCPAddr{} }
func (input) SetDeadline(time.Time) error        { return nil }
func (input) SetReadDeadline(time.Time) error    { return nil }
func (input) SetWriteDeadline(t time.Time) error { return nil }

var enough = errors.New("enough")

func rule(hello []byte) string {
	said := "!"
	config := &tls.Config{GetConfigForClient: func(info *tls.ClientHelloInfo) (*tls.Config, error) {
		said = of(info)
		return nil, enough
	}}
	_ = tls.Server(input{bytes.NewReader(hello)}, config).HandshakeContext(context.Background())
	return said
}

func of(info *tls.ClientHelloInfo) string {
	asked := strings.ToLower(info.ServerName)
	switch {
	case asked == name:
		for _, protocol := range info.SupportedProtos {
			if protocol == "h2" {
				return "alpn"
			}
		}
		return "name"
	case asked == "":
		return "none"
	case strings.HasSuffix(asked, domain) && isLabel(strings.TrimSuffix(asked, domain)):
		return "wildcard"
	}
	return "-"
}

// isLabel tells whether a text may stand for the asterisk (RFC 6125 section 6.4.3; underscores are common in practice).
func isLabel(label string) bool {
	return label != "" && strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}

func reference(hello []byte) string {
	own := rule(hello)
	lines := make([]string, len(hello))
	var group sync.WaitGroup
	turns := make(chan struct{}, runtime.NumCPU())
	for at := range hello {
		group.Add(1)
		turns <- struct{}{}
		go func() {
			defer group.Done()
			lines[at] = changes(hello, at, own)
			<-turns
		}()
	}
	group.Wait()
	return own + "\n" + strings.Join(lines, "")
}

func changes(hello []byte, at int, own string) string {
	changed := bytes.Clone(hello)
	var lines strings.Builder
	start, last := 0, own
	for value := 0; value <= 256; value++ {
		now := own
		if value < 256 {
			changed[at] = byte(value)
			now = rule(changed)
		}
		if now != last {
			if last != own {
				fmt.Fprintf(&lines, "%d %d-%d %s\n", at, start, value-1, last)
			}
			start, last = value, now
		}
	}
	return lines.String()
}

func main() {
	for _, file := range os.Args[1:] {
		hello, err := os.ReadFile(file)
		if err == nil {
			err = os.WriteFile(file+".expected", []byte(reference(hello)), 0o644)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}
