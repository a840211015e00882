// A gRPC service of raw messages and a client that checks it, by grpc-go. The same service and client exist in Java and Python beside it.
//
//	serve ADDRESS [CERT KEY]            prints `ready ADDRESS`
//	check ADDRESS CA|- [NAME…]          prints `NAME ok`, or what was seen, for each check
//	load ADDRESS CA|- STREAMS SECONDS   unary calls on so many streams at once; prints calls a second and the errors
//	watch ADDRESS CA|- SECONDS PAUSE    one stream whose messages come so many seconds apart
package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"os"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

type raw struct{}

func (raw) Marshal(v any) ([]byte, error) { return *v.(*[]byte), nil }
func (raw) Unmarshal(data []byte, v any) error {
	*v.(*[]byte) = append([]byte(nil), data...)
	return nil
}
func (raw) Name() string { return "proto" }

const most = 64 << 20

// ---- the service

var gone sync.Map // the id of a call -> a channel that gets the time at which it was cancelled

func ended(id string) chan int64 {
	c, _ := gone.LoadOrStore(id, make(chan int64, 1))
	return c.(chan int64)
}

func first(ctx context.Context, key string) string {
	md, _ := metadata.FromIncomingContext(ctx)
	if v := md.Get(key); len(v) > 0 {
		return v[0]
	}
	return ""
}

func unary(_ any, ctx context.Context, dec func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
	var in []byte
	if err := dec(&in); err != nil {
		return nil, err
	}
	tail := metadata.Pairs("x-tail-bin", first(ctx, "x-meta-bin"), "tail.key_x", first(ctx, "x-meta"))
	switch first(ctx, "x-do") {
	case "fail":
		grpc.SetTrailer(ctx, tail)
		return nil, status.Error(codes.FailedPrecondition, "größer: 100 %")
	case "wait":
		<-ctx.Done()
		ended(first(ctx, "x-id")) <- time.Now().UnixMilli()
		return nil, ctx.Err()
	case "deadline":
		at, _ := ctx.Deadline()
		in = []byte(strconv.FormatInt(time.Until(at).Milliseconds(), 10))
	}
	grpc.SetHeader(ctx, metadata.Pairs("x-head", first(ctx, "x-meta")))
	grpc.SetTrailer(ctx, tail)
	return &in, nil
}

func when(_ any, ctx context.Context, dec func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
	var in []byte
	if err := dec(&in); err != nil {
		return nil, err
	}
	out := []byte("never")
	select {
	case at := <-ended(string(in)):
		out = []byte(strconv.FormatInt(at, 10))
	case <-time.After(5 * time.Second):
	}
	return &out, nil
}

func up(_ any, s grpc.ServerStream) error {
	count, size := 0, 0
	for {
		var in []byte
		if err := s.RecvMsg(&in); err == io.EOF {
			out := []byte(fmt.Sprint(count, " ", size))
			return s.SendMsg(&out)
		} else if err != nil {
			return err
		}
		count++
		size += len(in)
	}
}

func down(_ any, s grpc.ServerStream) error {
	var in []byte
	if err := s.RecvMsg(&in); err != nil {
		return err
	}
	var n, pause, size int
	fmt.Sscan(string(in), &n, &pause, &size)
	out := bytes.Repeat([]byte{'x'}, size)
	for i := 0; i < n; i++ {
		if i > 0 && pause > 0 {
			select {
			case <-time.After(time.Duration(pause) * time.Millisecond):
			case <-s.Context().Done():
				return s.Context().Err()
			}
		}
		if err := s.SendMsg(&out); err != nil {
			return err
		}
	}
	return nil
}

func both(_ any, s grpc.ServerStream) error {
	for {
		var in []byte
		if err := s.RecvMsg(&in); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if err := s.SendMsg(&in); err != nil {
			return err
		}
	}
}

func serve(address string, files []string) {
	options := []grpc.ServerOption{grpc.ForceServerCodec(raw{}), grpc.MaxRecvMsgSize(most), grpc.MaxConcurrentStreams(10000)}
	if len(files) == 2 {
		c, err := credentials.NewServerTLSFromFile(files[0], files[1])
		check(err)
		options = append(options, grpc.Creds(c))
	}
	server := grpc.NewServer(options...)
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: "webproxy.Echo", HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{{MethodName: "Unary", Handler: unary}, {MethodName: "Gone", Handler: when}},
		Streams: []grpc.StreamDesc{
			{StreamName: "Up", Handler: up, ClientStreams: true},
			{StreamName: "Down", Handler: down, ServerStreams: true},
			{StreamName: "Both", Handler: both, ClientStreams: true, ServerStreams: true},
		},
	}, struct{}{})
	l, err := net.Listen("tcp", address)
	check(err)
	fmt.Println("ready", l.Addr())
	check(server.Serve(l))
}

// ---- the client

func connect(address, ca string) *grpc.ClientConn {
	c := insecure.NewCredentials()
	if ca != "-" {
		pem, err := os.ReadFile(ca)
		check(err)
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(pem)
		c = credentials.NewTLS(&tls.Config{RootCAs: pool})
	}
	conn, err := grpc.NewClient("passthrough:///"+address, grpc.WithTransportCredentials(c),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(raw{}), grpc.MaxCallRecvMsgSize(most)))
	check(err)
	return conn
}

func within(d time.Duration, pairs ...string) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	return metadata.NewOutgoingContext(ctx, metadata.Pairs(pairs...)), cancel
}

func call(c *grpc.ClientConn, method, in string, ctx context.Context, options ...grpc.CallOption) (string, error) {
	var out []byte
	message := []byte(in)
	err := c.Invoke(ctx, "/webproxy.Echo/"+method, &message, &out, options...)
	return string(out), err
}

func stream(c *grpc.ClientConn, method string, ctx context.Context, client, server bool) grpc.ClientStream {
	s, err := c.NewStream(ctx, &grpc.StreamDesc{ClientStreams: client, ServerStreams: server}, "/webproxy.Echo/"+method)
	check(err)
	return s
}

func send(s grpc.ClientStream, text string) {
	message := []byte(text)
	check(s.SendMsg(&message))
}

func receive(s grpc.ClientStream) string {
	var out []byte
	check(s.RecvMsg(&out))
	return string(out)
}

func atEnd(s grpc.ClientStream) {
	var out []byte
	if err := s.RecvMsg(&out); err != io.EOF {
		panic(fmt.Sprint("no end: ", err, " ", len(out)))
	}
}

func is(seen, expected any) {
	if fmt.Sprint(seen) != fmt.Sprint(expected) {
		panic(fmt.Sprintf("%v (expected: %v)", seen, expected))
	}
}

// how many ms later than it was cancelled the service has seen it
func cancelled(c *grpc.ClientConn, id string, at int64) int {
	ctx, cancel := within(10 * time.Second)
	defer cancel()
	when, err := call(c, "Gone", id, ctx)
	check(err)
	seen, err := strconv.ParseInt(when, 10, 64)
	check(err)
	return int(seen - at)
}

// one of them may come at a moment at which the machine is busy
func inTime(delays ...int) {
	sort.Ints(delays)
	if delays[len(delays)/2] > 100 {
		panic(fmt.Sprint("the service has seen it after so many ms: ", delays))
	}
}

type named struct {
	name string
	run  func(c *grpc.ClientConn)
}

func checks(address, ca string) []named {
	id := fmt.Sprint("go", time.Now().UnixNano())
	return []named{
		{"unary", func(c *grpc.ClientConn) {
			ctx, cancel := within(20 * time.Second)
			defer cancel()
			out, err := call(c, "Unary", "hello", ctx)
			check(err)
			is(out, "hello")
		}},
		{"metadata", func(c *grpc.ClientConn) {
			ctx, cancel := within(20*time.Second, "x-meta", "a, b", "x-meta-bin", "\x00\xff,")
			defer cancel()
			var head, tail metadata.MD
			_, err := call(c, "Unary", "", ctx, grpc.Header(&head), grpc.Trailer(&tail))
			check(err)
			is(head.Get("x-head"), []string{"a, b"})
			is(tail.Get("x-tail-bin"), []string{"\x00\xff,"})
			is(tail.Get("tail.key_x"), []string{"a, b"})
		}},
		{"failure", func(c *grpc.ClientConn) {
			ctx, cancel := within(20*time.Second, "x-do", "fail", "x-meta-bin", "\x01")
			defer cancel()
			var tail metadata.MD
			_, err := call(c, "Unary", "", ctx, grpc.Trailer(&tail))
			is(status.Code(err), codes.FailedPrecondition)
			is(status.Convert(err).Message(), "größer: 100 %")
			is(tail.Get("x-tail-bin"), []string{"\x01"})
		}},
		{"trailers-only", func(c *grpc.ClientConn) {
			ctx, cancel := within(20 * time.Second)
			defer cancel()
			_, err := call(c, "None", "", ctx)
			is(status.Code(err), codes.Unimplemented)
		}},
		{"up", func(c *grpc.ClientConn) {
			ctx, cancel := within(20 * time.Second)
			defer cancel()
			s := stream(c, "Up", ctx, true, false)
			for i := 0; i < 1000; i++ {
				send(s, strings.Repeat("x", i))
			}
			check(s.CloseSend())
			is(receive(s), "1000 499500")
			atEnd(s)
		}},
		{"down", func(c *grpc.ClientConn) {
			ctx, cancel := within(20 * time.Second)
			defer cancel()
			s := stream(c, "Down", ctx, false, true)
			send(s, "1000 0 1234")
			check(s.CloseSend())
			for i := 0; i < 1000; i++ {
				is(len(receive(s)), 1234)
			}
			atEnd(s)
		}},
		{"paced", func(c *grpc.ClientConn) {
			ctx, cancel := within(20 * time.Second)
			defer cancel()
			s := stream(c, "Down", ctx, false, true)
			send(s, "3 300 5")
			check(s.CloseSend())
			start := time.Now()
			receive(s)
			if took := time.Since(start); took > 250*time.Millisecond {
				panic(fmt.Sprint("the first message was held back: ", took))
			}
			receive(s)
			receive(s)
			if took := time.Since(start); took < 500*time.Millisecond {
				panic(fmt.Sprint("too early: ", took))
			}
			atEnd(s)
		}},
		{"both", func(c *grpc.ClientConn) {
			ctx, cancel := within(20 * time.Second)
			defer cancel()
			s := stream(c, "Both", ctx, true, true)
			for i := 0; i < 500; i++ {
				send(s, fmt.Sprint("message ", i))
				is(receive(s), fmt.Sprint("message ", i))
			}
			check(s.CloseSend())
			atEnd(s)
		}},
		{"large", func(c *grpc.ClientConn) {
			ctx, cancel := within(30 * time.Second)
			defer cancel()
			large := strings.Repeat("0123456789abcdef", 1<<20)
			out, err := call(c, "Unary", large, ctx)
			check(err)
			is(out == large, true)
		}},
		{"deadline", func(c *grpc.ClientConn) {
			ctx, cancel := within(300*time.Millisecond, "x-do", "wait", "x-id", id+"deadline")
			defer cancel()
			start := time.Now()
			_, err := call(c, "Unary", "", ctx)
			is(status.Code(err), codes.DeadlineExceeded)
			if took := time.Since(start); took < 290*time.Millisecond || took > 700*time.Millisecond {
				panic(took)
			}
			if delay := cancelled(c, id+"deadline", start.UnixMilli()+300); delay > 300 {
				panic(fmt.Sprint("the service has seen it ", delay, " ms later"))
			}
		}},
		{"deadline-told", func(c *grpc.ClientConn) {
			ctx, cancel := within(5*time.Second, "x-do", "deadline")
			defer cancel()
			out, err := call(c, "Unary", "", ctx)
			check(err)
			if left, _ := strconv.Atoi(out); left < 4000 || left > 5100 {
				panic(out)
			}
		}},
		{"cancel", func(c *grpc.ClientConn) {
			var delays []int
			for i := 0; i < 5; i++ {
				ctx, cancel := within(20*time.Second, "x-do", "wait", "x-id", fmt.Sprint(id, i))
				at := make(chan int64, 1)
				time.AfterFunc(200*time.Millisecond, func() {
					at <- time.Now().UnixMilli()
					cancel()
				})
				_, err := call(c, "Unary", "", ctx)
				is(status.Code(err), codes.Canceled)
				delays = append(delays, cancelled(c, fmt.Sprint(id, i), <-at))
			}
			inTime(delays...)
		}},
		{"thousand", func(*grpc.ClientConn) {
			var channels []*grpc.ClientConn
			for i := 0; i < 16; i++ {
				channels = append(channels, connect(address, ca))
				defer channels[i].Close()
			}
			ctx, cancel := within(60 * time.Second)
			defer cancel()
			var streams []grpc.ClientStream
			for i := 0; i < 1000; i++ {
				s := stream(channels[i%16], "Both", ctx, true, true)
				send(s, fmt.Sprint("first ", i))
				streams = append(streams, s)
			}
			for i, s := range streams {
				is(receive(s), fmt.Sprint("first ", i))
			}
			for i, s := range streams {
				send(s, fmt.Sprint("second ", i))
			}
			for i, s := range streams {
				is(receive(s), fmt.Sprint("second ", i))
				check(s.CloseSend())
				atEnd(s)
			}
		}},
	}
}

func run(c *grpc.ClientConn, n named) {
	defer func() {
		if why := recover(); why != nil {
			fmt.Println(n.name, strings.ReplaceAll(fmt.Sprint(why), "\n", " "))
		}
	}()
	n.run(c)
	fmt.Println(n.name, "ok")
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func load(address, ca string, streams, seconds int) {
	var done, failed atomic.Int64
	var why atomic.Value
	var all sync.WaitGroup
	end := time.Now().Add(time.Duration(seconds) * time.Second)
	var channels []*grpc.ClientConn
	for i := 0; i < 1+(streams-1)/64; i++ {
		channels = append(channels, connect(address, ca))
	}
	for i := 0; i < streams; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			for time.Now().Before(end) {
				ctx, cancel := within(10 * time.Second)
				out, err := call(channels[i%len(channels)], "Unary", "0123456789abcdef", ctx)
				cancel()
				if err != nil || len(out) != 16 {
					failed.Add(1)
					why.Store(fmt.Sprint(err))
				}
				done.Add(1)
			}
		}()
	}
	all.Wait()
	fmt.Println(done.Load()/int64(seconds), "calls/s,", failed.Load(), "failed", why.Load())
}

func watch(address, ca string, seconds, pause int) {
	c := connect(address, ca)
	s := stream(c, "Down", context.Background(), false, true)
	count := seconds/pause + 1
	send(s, fmt.Sprint(count, " ", pause*1000, " 10"))
	check(s.CloseSend())
	worst := time.Duration(0)
	for i := 0; i < count; i++ {
		start := time.Now()
		receive(s)
		if late := time.Since(start) - time.Duration(pause)*time.Second; i > 0 && late > worst {
			worst = late
		}
	}
	atEnd(s)
	fmt.Println("watch ok")
	fmt.Fprintln(os.Stderr, count, "messages, the latest", worst.Round(time.Millisecond), "late")
}

func main() {
	a := os.Args
	number := func(i int) int {
		n, err := strconv.Atoi(a[i])
		check(err)
		return n
	}
	switch a[1] {
	case "serve":
		serve(a[2], a[3:])
	case "check":
		c := connect(a[2], a[3])
		defer c.Close()
		for _, n := range checks(a[2], a[3]) {
			if len(a) == 4 || strings.Contains(" "+strings.Join(a[4:], " ")+" ", " "+n.name+" ") {
				run(c, n)
			}
		}
	case "load":
		load(a[2], a[3], number(4), number(5))
	case "watch":
		watch(a[2], a[3], number(4), number(5))
	}
}
