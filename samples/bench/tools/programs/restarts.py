"""Upstreams that can tell what they have executed, and the load that asks them through a proxy.

    upstream http|h2c|tls PORT FILE [CERT KEY]   an upstream until it gets SIGTERM, which ends it gracefully, or is killed: prints `ready URI`
    load HTTP-URI H2C-URI|- STOP FILE            asks until there is a file STOP, and writes a line per request and its answer to FILE
    judge SCHEME TERM|KILL LOAD FILE...          compares what was asked with what the upstreams have begun and finished

An upstream appends a line to its file when it begins a request, and another one when the answer has left the process, 30 ms later: so the file says what was executed, and by which
upstream, when that is killed in between.
"""

import asyncio
import collections
import os
import signal
import ssl
import sys
import time

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import ConnectionTerminated, DataReceived, RequestReceived, ResponseReceived, StreamEnded, StreamReset, TrailersReceived
from h2.exceptions import ProtocolError

ANSWER_SECONDS = 0.03
CLIENTS = 16
EMPTY_MESSAGE = b"\0\0\0\0\0"


# ---- the upstream


class Executions:
    def __init__(self, file):
        self.file = open(file, "ab", buffering=0)
        self.count = 0
        self.leaving = False
        self.connections = set()

    def begin(self, what):
        self.count += 1
        name = f"{os.getpid()}.{self.count}"
        self.file.write(f"begun {name} {time.time_ns()} {what}\n".encode())
        return name

    def finish(self, name):
        self.file.write(f"finished {name} {time.time_ns()}\n".encode())


class Http1(asyncio.Protocol):
    def __init__(self, executions):
        self.executions = executions
        self.received = b""
        self.busy = False

    def connection_made(self, transport):
        self.transport = transport
        self.executions.connections.add(self)

    def connection_lost(self, _):
        self.executions.connections.discard(self)

    def data_received(self, data):
        self.received += data
        head, end, rest = self.received.partition(b"\r\n\r\n")
        if self.busy or not end:
            return
        lines = head.decode().split("\r\n")
        fields = dict(line.lower().split(": ", 1) for line in lines[1:])
        length = int(fields.get("content-length", 0))
        if len(rest) < length:
            return
        self.received = rest[length:]
        self.busy = True
        method, path, _ = lines[0].split(" ")
        name = self.executions.begin(method + path)
        asyncio.get_running_loop().call_later(ANSWER_SECONDS, self.answer, name, (method + path).encode())

    def answer(self, name, what):
        if self.transport.is_closing():
            return
        leaves = self.executions.leaving
        fields = b"Connection: close\r\n" if leaves else b""
        # in one write: a kill between head and body would cut the response, which nothing can repair
        self.transport.write(b"HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s" % (fields, len(what), what))
        self.executions.finish(name)
        self.busy = False
        if leaves:
            self.transport.close()
        else:
            self.data_received(b"")

    def leave(self):
        if not self.busy:
            self.transport.close()


class Http2(asyncio.Protocol):
    def __init__(self, executions):
        self.executions = executions
        self.codec = H2Connection(H2Configuration(client_side=False, header_encoding="ascii"))
        self.heads = {}
        self.last = 0
        self.left_at = None

    def connection_made(self, transport):
        self.transport = transport
        self.executions.connections.add(self)
        self.codec.initiate_connection()
        self.flush()
        if self.executions.leaving:
            self.leave()

    def connection_lost(self, _):
        self.executions.connections.discard(self)

    def flush(self):
        self.transport.write(self.codec.data_to_send())

    def data_received(self, data):
        for event in self.codec.receive_data(data):
            if isinstance(event, RequestReceived):
                if self.left_at is None or event.stream_id <= self.left_at:
                    self.last = event.stream_id
                    self.heads[event.stream_id] = dict(event.headers)
            elif isinstance(event, DataReceived):
                self.codec.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, StreamEnded):
                self.execute(event.stream_id)
            elif isinstance(event, StreamReset):
                self.heads.pop(event.stream_id, None)
        self.flush()
        self.end_if_idle()

    def execute(self, stream):
        head = self.heads.get(stream)
        if head is not None:
            name = self.executions.begin(head[":method"] + head[":path"])
            asyncio.get_running_loop().call_later(ANSWER_SECONDS, self.answer, stream, name, head)

    def answer(self, stream, name, head):
        if self.heads.pop(stream, None) is None or self.transport.is_closing():
            return
        what = (head[":method"] + head[":path"]).encode()
        if head.get("content-type") == "application/grpc":
            self.codec.send_headers(stream, [(":status", "200"), ("content-type", "application/grpc")])
            self.codec.send_data(stream, b"\0" + len(what).to_bytes(4, "big") + what)
            self.codec.send_headers(stream, [("grpc-status", "0")], end_stream=True)
        else:
            self.codec.send_headers(stream, [(":status", "200"), ("content-length", str(len(what)))])
            self.codec.send_data(stream, what, end_stream=True)
        self.flush()
        self.executions.finish(name)
        self.end_if_idle()

    def leave(self):
        # by hand: the codec sends nothing after a GOAWAY of its own
        self.left_at = self.last
        self.transport.write(b"\0\0\x08\x07\0\0\0\0\0" + self.last.to_bytes(4, "big") + int(ErrorCodes.NO_ERROR).to_bytes(4, "big"))
        self.end_if_idle()

    def end_if_idle(self):
        if self.left_at is not None and not self.heads and not self.transport.is_closing():
            # what has crossed the GOAWAY is read before the end: unread, it would make the end a reset
            asyncio.get_running_loop().call_later(0.1, self.transport.close)


async def upstream(kind, port, file, *tls):
    executions = Executions(file)
    context = None
    if kind == "tls":
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*tls)
        context.set_alpn_protocols(["h2"])
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: (Http1 if kind == "http" else Http2)(executions), "127.0.0.1", int(port), ssl=context)
    left = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, left.set)
    print(f"ready {kind}://localhost:{server.sockets[0].getsockname()[1]}/", flush=True)
    await left.wait()
    executions.leaving = True
    server.close()
    for connection in list(executions.connections):
        connection.leave()
    while executions.connections:
        await asyncio.sleep(0.01)


# ---- the load


def address_of(uri):
    host, _, port = uri.split("/")[2].rpartition(":")
    return host, int(port)


class Clients:
    def __init__(self, http, h2c, stop, file):
        self.http = address_of(http)
        self.h2c = None if h2c == "-" else address_of(h2c)
        self.stop = stop
        self.file = open(file, "w")
        self.count = 0

    async def run(self):
        await asyncio.gather(*(self.client() for _ in range(CLIENTS)))
        self.file.close()

    async def client(self):
        reader = writer = None
        calls = GrpcClient(self.h2c) if self.h2c else None
        while not os.path.exists(self.stop):
            self.count += 1
            what = f"/{self.count}"
            if calls and self.count % 4 < 2:
                name, answer = "POST" + what, await calls.call(what)
                self.file.write(f"gRPC {name} {answer}\n")
                continue
            method = "POST" if self.count % 4 == 3 else "GET"
            answer = "broken"
            try:
                if writer is None:
                    reader, writer = await asyncio.open_connection(*self.http)
                body = b"id" if method == "POST" else b""
                length = b"Content-Length: 2\r\n" if body else b""
                writer.write(b"%s %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n%s" % (method.encode(), what.encode(), length, body))
                answer, closes = await asyncio.wait_for(self.answer(reader, method + what), 20)
            except (OSError, EOFError, asyncio.TimeoutError, asyncio.IncompleteReadError) as e:
                answer, closes = type(e).__name__, True
            if closes and writer is not None:
                writer.close()
                writer = None
            self.file.write(f"{method} {method + what} {answer}\n")
            if answer != "200":
                print(time.strftime("%H:%M:%S", time.gmtime()), method + what, answer, flush=True)

    @staticmethod
    async def answer(reader, expected):
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().lower().split("\r\n")
        fields = dict(line.split(": ", 1) for line in lines[1:] if line)
        body = (await reader.readexactly(int(fields.get("content-length", 0)))).decode()
        status = lines[0].split(" ")[1]
        return status if status != "200" or body == expected else "wrong", fields.get("connection") == "close"


class GrpcClient:
    def __init__(self, address):
        self.address = address
        self.writer = None

    async def call(self, path):
        try:
            return await asyncio.wait_for(self.ask(path), 20)
        except (OSError, EOFError, ProtocolError, asyncio.TimeoutError) as e:
            if self.writer is not None:
                self.writer.close()
            self.writer = None
            return type(e).__name__

    async def ask(self, path):
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection(*self.address)
            self.codec = H2Connection(H2Configuration(header_encoding="ascii"))
            self.codec.initiate_connection()
        stream = self.codec.get_next_available_stream_id()
        fields = [(":method", "POST"), (":scheme", "http"), (":authority", "localhost"), (":path", path), ("te", "trailers"), ("content-type", "application/grpc")]
        self.codec.send_headers(stream, fields)
        self.codec.send_data(stream, EMPTY_MESSAGE, end_stream=True)
        self.writer.write(self.codec.data_to_send())
        body, status = b"", "none"
        while True:
            data = await self.reader.read(65536)
            if not data:
                raise EOFError
            over = False
            for event in self.codec.receive_data(data):
                if isinstance(event, (ResponseReceived, TrailersReceived)):
                    head = dict(event.headers)
                    status = head.get("grpc-status", status if head.get(":status", "200") == "200" else "http-" + head[":status"])
                elif isinstance(event, DataReceived):
                    body += event.data
                    self.codec.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, StreamEnded):
                    over = True
                elif isinstance(event, StreamReset):
                    status, over = f"reset-{event.error_code}", True
                elif isinstance(event, ConnectionTerminated):
                    raise EOFError
            self.writer.write(self.codec.data_to_send())
            if over:
                return status if status != "0" or body[5:].decode() == "POST" + path else "wrong"


# ---- the verdict


def judge(scheme, how, load, *files):
    begun, finished = collections.defaultdict(list), {}
    for file in files:
        with open(file) as lines:
            for line in lines:
                words = line.split()
                if words[0] == "begun":
                    begun[words[3]].append((int(words[2]), words[1]))
                else:
                    finished[words[1]] = int(words[2])
    asked = [line.split() for line in open(load)]
    rules = collections.Counter()
    good = {"GET": "200", "POST": "200", "gRPC": "0"}
    for kind in ("GET", "POST", "gRPC"):
        answers = collections.Counter(answer for k, _, answer in asked if k == kind)
        if not answers:
            continue
        failed = [(name, answer) for k, name, answer in asked if k == kind and answer != good[kind]]
        executions = [sorted(begun[name]) for k, name, _ in asked if k == kind and name in begun]
        begun_twice = sum(len(e) > 1 for e in executions)
        finished_twice = sum(sum(name in finished for _, name in e) > 1 for e in executions)
        # one that was sent again although its first execution has come to its end
        after_finish = sum(any(name in finished and finished[name] < later[0] for (_, name), later in zip(e, e[1:])) for e in executions)
        unexecuted = sum(1 for k, name, answer in asked if k == kind and answer == good[kind] and not any(n in finished for _, n in begun.get(name, ())))
        unanswered = sum(name in begun for name, _ in failed)
        told = dict(sorted(collections.Counter(answer for _, answer in failed).items()))
        print(
            f"  {kind:4} {answers.total():6}: failed {len(failed)} {told or ''}(of these begun: {unanswered}); begun twice {begun_twice}, finished twice {finished_twice}, "
            f"sent again after they were finished {after_finish}; answered and not finished {unexecuted}"
        )
        rules["finished twice"] += finished_twice
        rules["sent again after they were finished"] += after_finish
        rules["answered and not finished"] += unexecuted
        if kind == "GET" or how == "TERM" and scheme != "http":
            rules["lost " + kind] += len(failed)
        if kind != "GET" or how == "TERM":
            rules["begun twice " + kind] += begun_twice
        if how == "TERM":
            rules["begun and not answered"] += unanswered
        if kind == "gRPC":
            rules["failed otherwise than by grpc-status 14"] += sum(answer != "14" for _, answer in failed)
        if how == "KILL" and kind == "POST" and unanswered == 0 and begun_twice == 0:
            print("  no kill has found a POST in execution: this run shows nothing of them")
            rules["without a kill in execution"] += 1
    broken = {name: count for name, count in rules.items() if count}
    print("  NOT OK: " + ", ".join(f"{name}: {count}" for name, count in broken.items()) if broken else "  ok")
    return not broken


if __name__ == "__main__":
    if sys.argv[1] == "upstream":
        asyncio.run(upstream(*sys.argv[2:]))
    elif sys.argv[1] == "load":
        asyncio.run(Clients(*sys.argv[2:]).run())
    else:
        sys.exit(0 if judge(*sys.argv[2:]) else 1)
