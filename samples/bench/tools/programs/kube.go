// Kubernetes' own streams: the server side that container runtimes use (k8s.io/cri-streaming, and k8s.io/streaming for v5 of the WebSocket protocol), and kubectl's client (k8s.io/client-go).
//
//	kube serve CERT KEY    exec and port-forward on a free port of 127.0.0.1, over TLS if CERT isn't empty; prints `ready URL`
//	kube check URL CA      a line for each check: `NAME ok`, or the name and what was seen
package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/portforward"
	client "k8s.io/client-go/tools/remotecommand"
	"k8s.io/client-go/transport/spdy"
	utilexec "k8s.io/client-go/util/exec"
	serverforward "k8s.io/cri-streaming/pkg/streaming/portforward"
	server "k8s.io/cri-streaming/pkg/streaming/remotecommand"
	"k8s.io/streaming/pkg/httpstream/wsstream"
	"k8s.io/utils/exec"
)

const (
	v5    = "v5.channel.k8s.io"
	large = 50_000_000
)

func main() {
	switch os.Args[1] {
	case "serve":
		serve(os.Args[2], os.Args[3])
	case "check":
		check(os.Args[2], os.Args[3])
	}
}

// ---- the server

// commands are what "containers" run.
type commands struct{ open, forwarded atomic.Int64 }

func (c *commands) ExecInContainer(_ context.Context, _, _, _ string, cmd []string, in io.Reader, out, err io.WriteCloser, _ bool, _ <-chan server.TerminalSize, _ time.Duration) error {
	c.open.Add(1)
	defer c.open.Add(-1)
	switch cmd[0] {
	case "cat":
		_, failure := io.Copy(out, in)
		return failure
	case "sum": // answers only once its input has ended
		sum := sha256.New()
		if _, failure := io.Copy(sum, in); failure != nil {
			return failure
		}
		fmt.Fprintf(out, "%x", sum.Sum(nil))
		return nil
	case "both":
		io.WriteString(out, "to stdout")
		io.WriteString(err, "to stderr")
		return nil
	case "zeros":
		chunk := make([]byte, 100_000)
		for i := 0; i < large/len(chunk); i++ {
			if _, failure := out.Write(chunk); failure != nil {
				return failure
			}
		}
		return nil
	case "fail":
		return exec.CodeExitError{Err: errors.New("exit 3"), Code: 3}
	}
	return errors.New("no such command")
}

func (c *commands) PortForward(_ context.Context, _, _ string, _ int32, stream io.ReadWriteCloser) error {
	c.forwarded.Add(1)
	defer stream.Close()
	_, failure := io.Copy(stream, stream)
	return failure
}

func serve(cert, key string) {
	c := &commands{}
	mux := http.NewServeMux()
	mux.HandleFunc("/exec", func(w http.ResponseWriter, req *http.Request) {
		options, failure := server.NewOptions(req)
		if failure != nil {
			http.Error(w, failure.Error(), http.StatusBadRequest)
			return
		}
		cmd := req.URL.Query()["command"]
		if strings.Contains(req.Header.Get("Sec-Websocket-Protocol"), v5) {
			c.version5(w, req, cmd)
			return
		}
		server.ServeExec(w, req, c, "pod", "uid", "container", cmd, options, time.Hour, 30*time.Second,
			[]string{"v4.channel.k8s.io", "v3.channel.k8s.io", "v2.channel.k8s.io", "channel.k8s.io"})
	})
	mux.HandleFunc("/portforward", func(w http.ResponseWriter, req *http.Request) {
		options, failure := serverforward.NewV4Options(req)
		if failure != nil {
			http.Error(w, failure.Error(), http.StatusBadRequest)
			return
		}
		serverforward.ServePortForward(w, req, c, "pod", "uid", options, time.Hour, 30*time.Second, []string{"portforward.k8s.io"})
	})
	mux.HandleFunc("/open", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, c.open.Load()) })
	listener, failure := net.Listen("tcp", "127.0.0.1:0")
	must(failure)
	port := listener.Addr().(*net.TCPAddr).Port
	if cert == "" {
		fmt.Printf("ready http://127.0.0.1:%d/\n", port)
		must(http.Serve(listener, mux))
	}
	fmt.Printf("ready https://localhost:%d/\n", port)
	must((&http.Server{Handler: mux, TLSNextProto: nil}).ServeTLS(listener, cert, key))
}

// version5 is what an API server does with a WebSocket of v5: a channel each for stdin, stdout, stderr, the status and the size of the terminal.
func (c *commands) version5(w http.ResponseWriter, req *http.Request, cmd []string) {
	conn := wsstream.NewConn(map[string]wsstream.ChannelProtocolConfig{v5: {Binary: true,
		Channels: []wsstream.ChannelType{wsstream.ReadChannel, wsstream.WriteChannel, wsstream.WriteChannel, wsstream.WriteChannel, wsstream.ReadChannel}}})
	conn.SetIdleTimeout(time.Hour)
	_, streams, failure := conn.Open(w, req)
	if failure != nil {
		return
	}
	defer conn.Close()
	streams[1].Write(nil)
	failure = c.ExecInContainer(req.Context(), "", "", "", cmd, streams[0], streams[1], streams[2], false, nil, 0)
	status := map[string]any{"metadata": map[string]any{}, "status": "Success"}
	var exit exec.CodeExitError
	if errors.As(failure, &exit) {
		status = map[string]any{"metadata": map[string]any{}, "status": "Failure", "reason": "NonZeroExitCode", "message": exit.Error(),
			"details": map[string]any{"causes": []any{map[string]any{"reason": "ExitCode", "message": fmt.Sprint(exit.Code)}}}}
	} else if failure != nil {
		status = map[string]any{"metadata": map[string]any{}, "status": "Failure", "reason": "InternalError", "message": failure.Error()}
	}
	said, _ := json.Marshal(status)
	streams[3].Write(said)
}

// ---- the client

var config *rest.Config

func check(base, ca string) {
	config = &rest.Config{Host: base}
	if ca != "" {
		config.TLSClientConfig.CAFile = ca
	}
	for _, kind := range []string{"spdy", "websocket"} {
		say(kind+"-output", output(base, kind))
		say(kind+"-status", status(base, kind))
		say(kind+"-half-close", halfClose(base, kind))
		say(kind+"-talk", talk(base, kind))
		say(kind+"-50mb-both-ways", bothWays(base, kind))
		say(kind+"-50mb-slow-reader", slowReader(base, kind))
		say(kind+"-cancel", cancel(base, kind))
		say(kind+"-50-at-once", atOnce(base, kind))
	}
	say("port-forward", forward(base))
}

func say(name string, failure error) {
	if failure == nil {
		fmt.Println(name, "ok")
	} else {
		fmt.Println(name, strings.ReplaceAll(failure.Error(), "\n", " "))
	}
}

func executor(base, kind string, in bool, cmd string) (client.Executor, error) {
	query := url.Values{"command": {cmd}, "output": {"1"}, "error": {"1"}}
	if in {
		query.Set("input", "1")
	}
	// what kubectl says to an API server, beside what a kubelet is told
	query.Set("stdin", fmt.Sprint(in))
	query.Set("stdout", "true")
	query.Set("stderr", "true")
	at, failure := url.Parse(strings.TrimSuffix(base, "/") + "/exec?" + query.Encode())
	if failure != nil {
		return nil, failure
	}
	if kind == "spdy" {
		return client.NewSPDYExecutor(config, "POST", at)
	}
	return client.NewWebSocketExecutor(config, "GET", at.String())
}

func run(ctx context.Context, base, kind, cmd string, in io.Reader, out, errs io.Writer) error {
	executor, failure := executor(base, kind, in != nil, cmd)
	if failure != nil {
		return failure
	}
	return executor.StreamWithContext(ctx, client.StreamOptions{Stdin: in, Stdout: out, Stderr: errs})
}

func soon() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), 60*time.Second)
}

// closing ends the pipes of a run that is over, so that neither end waits.
func closing(in *io.PipeReader, out *io.PipeWriter, failure error) error {
	in.CloseWithError(io.ErrClosedPipe)
	out.CloseWithError(failure)
	return failure
}

func output(base, kind string) error {
	ctx, done := soon()
	defer done()
	var out, errs bytes.Buffer
	if failure := run(ctx, base, kind, "both", nil, &out, &errs); failure != nil {
		return failure
	}
	return same(out.String()+", "+errs.String(), "to stdout, to stderr")
}

func status(base, kind string) error {
	ctx, done := soon()
	defer done()
	failure := run(ctx, base, kind, "fail", nil, io.Discard, io.Discard)
	var exit utilexec.CodeExitError
	if !errors.As(failure, &exit) {
		return fmt.Errorf("no exit status: %v", failure)
	}
	return same(exit.Code, 3)
}

func halfClose(base, kind string) error {
	ctx, done := soon()
	defer done()
	sent := random(1_000_000)
	var out bytes.Buffer
	if failure := run(ctx, base, kind, "sum", bytes.NewReader(sent), &out, io.Discard); failure != nil {
		return failure
	}
	return same(out.String(), fmt.Sprintf("%x", sha256.Sum256(sent)))
}

// talk sends a line only after the echo of the last: nothing may be held back.
func talk(base, kind string) error {
	ctx, done := soon()
	defer done()
	in, ours := io.Pipe()
	theirs, out := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- closing(in, out, run(ctx, base, kind, "cat", in, out, io.Discard)) }()
	lines := bufio.NewReader(theirs)
	for i := 0; i < 200; i++ {
		said := fmt.Sprintf("line %d\n", i)
		if _, failure := io.WriteString(ours, said); failure != nil {
			return failure
		}
		heard, failure := lines.ReadString('\n')
		if failure != nil {
			return fmt.Errorf("after %d lines: %w", i, failure)
		}
		if heard != said {
			return same(heard, said)
		}
	}
	ours.Close()
	return <-ended
}

func bothWays(base, kind string) error {
	ctx, done := soon()
	defer done()
	sent := random(large)
	sum := sha256.New()
	if failure := run(ctx, base, kind, "cat", bytes.NewReader(sent), sum, io.Discard); failure != nil {
		return failure
	}
	return same(fmt.Sprintf("%x", sum.Sum(nil)), fmt.Sprintf("%x", sha256.Sum256(sent)))
}

type slow struct{ bytes int }

func (s *slow) Write(p []byte) (int, error) {
	if s.bytes == 0 {
		time.Sleep(2 * time.Second)
	}
	s.bytes += len(p)
	return len(p), nil
}

func slowReader(base, kind string) error {
	ctx, done := soon()
	defer done()
	out := &slow{}
	if failure := run(ctx, base, kind, "zeros", nil, out, io.Discard); failure != nil {
		return failure
	}
	return same(out.bytes, large)
}

// cancel: a client that leaves ends the command, soon.
func cancel(base, kind string) error {
	ctx, done := soon()
	in, ours := io.Pipe()
	theirs, out := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- closing(in, out, run(ctx, base, kind, "cat", in, out, io.Discard)) }()
	io.WriteString(ours, "x\n")
	if _, failure := bufio.NewReader(theirs).ReadString('\n'); failure != nil {
		return failure
	}
	if failure := openIs(base, 1, 0); failure != nil {
		return failure
	}
	done()
	ours.Close()
	<-ended
	return openIs(base, 0, 2*time.Second)
}

func atOnce(base, kind string) error {
	var all sync.WaitGroup
	failures := make(chan error, 50)
	for i := 0; i < 50; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			failures <- halfClose(base, kind)
		}()
	}
	all.Wait()
	for i := 0; i < 50; i++ {
		if failure := <-failures; failure != nil {
			return failure
		}
	}
	return openIs(base, 0, 2*time.Second)
}

func forward(base string) error {
	at, failure := url.Parse(strings.TrimSuffix(base, "/") + "/portforward")
	if failure != nil {
		return failure
	}
	transport, upgrader, failure := spdy.RoundTripperFor(config)
	if failure != nil {
		return failure
	}
	stop, ready := make(chan struct{}), make(chan struct{})
	forwarder, failure := portforward.NewOnAddresses(spdy.NewDialer(upgrader, &http.Client{Transport: transport}, "POST", at), []string{"127.0.0.1"}, []string{"0:80"}, stop, ready, io.Discard, io.Discard)
	if failure != nil {
		return failure
	}
	ended := make(chan error, 1)
	go func() { ended <- forwarder.ForwardPorts() }()
	select {
	case <-ready:
	case failure := <-ended:
		return failure
	}
	defer close(stop)
	ports, failure := forwarder.GetPorts()
	if failure != nil {
		return failure
	}
	failures := make(chan error, 20)
	for i := 0; i < 20; i++ {
		go func() {
			conn, failure := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", ports[0].Local))
			if failure != nil {
				failures <- failure
				return
			}
			defer conn.Close()
			sent := random(1_000_000)
			go conn.Write(sent)
			got := make([]byte, len(sent))
			conn.SetReadDeadline(time.Now().Add(60 * time.Second))
			if _, failure := io.ReadFull(conn, got); failure != nil {
				failures <- failure
				return
			}
			failures <- same(sha256.Sum256(got), sha256.Sum256(sent))
		}()
	}
	for i := 0; i < 20; i++ {
		if failure := <-failures; failure != nil {
			return failure
		}
	}
	return nil
}

func openIs(base string, expected int, within time.Duration) error {
	transport, failure := rest.TransportFor(config)
	if failure != nil {
		return failure
	}
	for until := time.Now().Add(within); ; time.Sleep(10 * time.Millisecond) {
		response, failure := (&http.Client{Transport: transport}).Get(strings.TrimSuffix(base, "/") + "/open")
		if failure != nil {
			return failure
		}
		said, _ := io.ReadAll(response.Body)
		response.Body.Close()
		if string(said) == fmt.Sprint(expected) {
			return nil
		}
		if time.Now().After(until) {
			return fmt.Errorf("%s commands run, not %d", said, expected)
		}
	}
}

func random(size int) []byte {
	bytes := make([]byte, size)
	rand.New(rand.NewSource(int64(size))).Read(bytes)
	return bytes
}

func same[T comparable](got, expected T) error {
	if got != expected {
		return fmt.Errorf("%v, not %v", got, expected)
	}
	return nil
}

func must(failure error) {
	if failure != nil {
		fmt.Fprintln(os.Stderr, failure)
		os.Exit(1)
	}
}
