"""Python's clients for wire-clients.sh, and requests that no library sends: each prints a line for each check, its name and `ok` or what is wrong.

wire.py httpx h1|h2 URL CA
wire.py h2 URL CA                   the library h2, over TLS, or with prior knowledge for a URL of http
wire.py edges h1|h2 URL CA          what lies at the edges of the protocols
"""
import asyncio
import hashlib
import json
import os
import socket
import ssl
import struct
import sys
import time
import urllib.parse

import pipeline

BODY = os.urandom(10_000_000)
SHA = hashlib.sha256(BODY).hexdigest()


def check(name, what):
    try:
        said = what()
    except Exception as e:  # whatever it is, it is what the client saw
        said = repr(e)
    print(name, str(said or "ok")[:300].replace("\n", " "), flush=True)


def wanted(seen, expected):
    return None if seen == expected else f"{str(seen)[:120]} (expected: {str(expected)[:120]})"


def with_httpx(protocol, url, ca):
    import httpx
    url += "wire/"
    limits = httpx.Limits(max_connections=100)
    client = httpx.Client(verify=ssl.create_default_context(cafile=ca), http1=protocol == "h1", http2=protocol == "h2", timeout=60, limits=limits)
    version = {"h1": "HTTP/1.1", "h2": "HTTP/2"}[protocol]

    def get():
        said = client.get(url + "echo?a=b")
        return wanted((said.http_version, said.json()["Uri"]), (version, "/wire/echo?a=b"))

    def events():
        with client.stream("GET", url + "events") as said:
            times = [time.monotonic() for line in said.iter_lines() if line.startswith("data:")]
        return wanted((len(times), times[-1] - times[0] > 0.3), (5, True))

    def parallel():
        async def all_of_them():
            async with httpx.AsyncClient(verify=ssl.create_default_context(cafile=ca), http1=protocol == "h1", http2=protocol == "h2", timeout=60, limits=limits) as many:
                return await asyncio.gather(*(many.get(url + f"echo?n={n}") for n in range(100)))

        return wanted([said.json()["Uri"] for said in asyncio.run(all_of_them())], [f"/wire/echo?n={n}" for n in range(100)])

    def cancel():
        name = f"httpx{time.time_ns()}"
        with client.stream("GET", url + "endless?" + name) as said:
            next(said.iter_raw())
        return wanted(client.get(url + "gone?" + name).text, "gone")

    check("get", get)
    check("post", lambda: wanted(client.post(url + "echo", content=BODY).json()["Sha"], SHA))
    check("events", events)
    check("parallel", parallel)
    if protocol == "h1":  # over HTTP/2 it sends no RST_STREAM: the stream only stops being read
        check("cancel", cancel)


def connect(url, ca, protocol):
    address = urllib.parse.urlsplit(url)
    connection = socket.create_connection(("127.0.0.1", address.port), 30)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if address.scheme == "https":
        tls = ssl.create_default_context(cafile=ca)
        tls.set_alpn_protocols([protocol])
        connection = tls.wrap_socket(connection, server_hostname="localhost")
        if connection.selected_alpn_protocol() not in (protocol, None):
            raise OSError(f"ALPN: {connection.selected_alpn_protocol()}")
    return connection


class H2:
    """The library h2 on a blocking socket."""

    def __init__(self, url, ca):
        import h2.config
        import h2.connection
        self.scheme, self.authority = urllib.parse.urlsplit(url)[:2]
        self.socket = connect(url, ca, "h2")
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        self.h2.initiate_connection()
        self.answers = {}
        self.flush()

    def flush(self):
        self.socket.sendall(self.h2.data_to_send())

    def send(self, method, path, body=None, trailers=None):
        stream = self.h2.get_next_available_stream_id()
        self.answers[stream] = {"body": b"", "first": None, "trailers": {}}
        self.h2.send_headers(stream, [(":method", method), (":path", path), (":scheme", self.scheme), (":authority", self.authority)], end_stream=body is None)
        self.flush()
        at = 0
        while body is not None and at < len(body):
            while not (window := min(self.h2.local_flow_control_window(stream), self.h2.max_outbound_frame_size)):
                self.receive()
            self.h2.send_data(stream, body[at:at + window], end_stream=not trailers and at + window >= len(body))
            at += window
            self.flush()
        if trailers:
            self.h2.send_headers(stream, trailers, end_stream=True)
            self.flush()
        return stream

    def receive(self):
        import h2.events as events
        data = self.socket.recv(65536)
        if not data:
            raise OSError("the connection has ended")
        for event in self.h2.receive_data(data):
            if isinstance(event, events.ConnectionTerminated):
                raise OSError(f"GOAWAY: {event.error_code}")
            answer = self.answers.get(getattr(event, "stream_id", None))
            if isinstance(event, events.ResponseReceived):
                answer["status"] = dict(event.headers)[":status"]
            elif isinstance(event, events.DataReceived):
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                answer["first"] = answer["first"] or time.monotonic()
                answer["body"] += event.data
            elif isinstance(event, events.TrailersReceived):
                answer["trailers"] = dict(event.headers)
            elif isinstance(event, events.StreamEnded):
                answer["end"] = time.monotonic()
            elif isinstance(event, events.StreamReset):
                raise OSError(f"RST_STREAM: {event.error_code}")
        self.flush()

    def answer(self, stream):
        while "end" not in self.answers[stream]:
            self.receive()
        return self.answers[stream]


def with_h2(url, ca):
    client = H2(url, ca)

    def echo(*request):
        answer = client.answer(client.send(*request))
        return answer, json.loads(answer["body"])

    def trailers():
        answer, said = echo("POST", "/wire/echo", BODY, [("x-mine", "1")])
        return wanted(((said["Trailers"] or {}).get("X-Mine"), answer["trailers"].get("x-sum")), (["1"], SHA))

    def events():
        answer = client.answer(client.send("GET", "/wire/events"))
        return wanted((answer["body"].count(b"data: "), answer["end"] - answer["first"] > 0.3), (5, True))

    def parallel():
        streams = [client.send("GET", f"/wire/echo?n={n}") for n in range(100)]
        return wanted([json.loads(client.answer(s)["body"])["Uri"] for s in streams], [f"/wire/echo?n={n}" for n in range(100)])

    def cancel():
        name = f"h2{time.time_ns()}"
        stream = client.send("GET", "/wire/endless?" + name)
        while not client.answers[stream]["body"]:
            client.receive()
        client.h2.reset_stream(stream, 8)
        client.flush()
        return wanted(client.answer(client.send("GET", "/wire/gone?" + name))["body"], b"gone")

    check("get", lambda: wanted(echo("GET", "/wire/echo?a=b")[1]["Uri"], "/wire/echo?a=b"))
    check("post", lambda: wanted(echo("POST", "/wire/echo", BODY)[1]["Sha"], SHA))
    check("trailers", trailers)
    check("events", events)
    check("parallel", parallel)
    check("cancel", cancel)


class Frames:
    """HTTP/2 by hand."""

    def __init__(self, url, ca):
        import hpack
        self.scheme, self.authority = urllib.parse.urlsplit(url)[:2]
        self.socket = connect(url, ca, "h2")
        self.stream = self.socket.makefile("rb")
        self.encoder, self.decoder = hpack.Encoder(), hpack.Decoder()
        self.settings = None
        self.socket.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + pipeline.frame(pipeline.SETTINGS, 0, 0))

    def head(self, method, path, more=(), ends=True, pseudo=()):
        fields = [(":method", method), (":scheme", self.scheme), (":authority", self.authority), (":path", path), *pseudo, *more]
        flags = pipeline.END_HEADERS | (pipeline.END_STREAM if ends else 0)
        return pipeline.frame(pipeline.HEADERS, flags, 1, self.encoder.encode(fields))

    def frame(self):
        head = self.stream.read(9)
        if len(head) < 9:
            raise OSError("the connection has ended")
        payload = self.stream.read(struct.unpack(">I", b"\0" + head[:3])[0])
        if head[3] == pipeline.SETTINGS and not head[4] & pipeline.ACK:
            self.settings = {n: v for n, v in struct.iter_unpack(">HI", payload)}
            self.socket.sendall(pipeline.frame(pipeline.SETTINGS, pipeline.ACK, 0))
        return head[3], head[4], struct.unpack(">I", head[5:])[0], payload

    def answer(self, until=None):
        """Status and body of stream 1; to its end, or until so much of the body is there."""
        status, body = None, b""
        while True:
            kind, flags, number, payload = self.frame()
            if kind == pipeline.GOAWAY:
                raise OSError(f"GOAWAY {struct.unpack('>I', payload[4:8])[0]} (status {status}, {len(body)} bytes)")
            if number != 1:
                continue
            if kind == pipeline.RST_STREAM:
                raise OSError(f"RST_STREAM {struct.unpack('>I', payload)[0]} (status {status}, {len(body)} bytes)")
            if kind == pipeline.HEADERS:
                if flags & pipeline.PADDED:
                    payload = payload[1:len(payload) - payload[0]]
                status = status or dict(self.decoder.decode(payload))[":status"]
            elif kind == pipeline.DATA:
                body += payload
            if flags & pipeline.END_STREAM and kind in (pipeline.DATA, pipeline.HEADERS) or until is not None and status and len(body) >= until:
                return status, body


def asked(protocol, url, ca, path, fields):
    """What the service saw of a request."""
    if protocol == "h2":
        connection = Frames(url, ca)
        connection.socket.sendall(connection.head("GET", path, [(n.lower(), v) for n, v in fields]))
        status, body = connection.answer()
    else:
        raw = connect(url, ca, "http/1.1")
        lines = "".join(f"{n}: {v}\r\n" for n, v in fields)
        raw.sendall(f"GET {path} HTTP/1.1\r\nHost: {urllib.parse.urlsplit(url).netloc}\r\nConnection: close\r\n{lines}\r\n".encode("latin-1"))
        import http.client
        answer = http.client.HTTPResponse(raw)
        answer.begin()
        status, body = str(answer.status), answer.read()
    if status != "200":
        raise OSError(f"status {status}")
    return json.loads(body)


def with_edges(protocol, url, ca):
    for name, path in (("raw-characters", "/wire/echo/a|b^c{d}?e=|^{}"), ("lone-percent", "/wire/echo?a=100%&b=%zz"), ("empty-query", "/wire/echo?")):
        check(name, lambda: wanted(asked(protocol, url, ca, path, [])["Uri"], path))
    check("double-space", lambda: wanted(asked(protocol, url, ca, "/wire/echo", [("X-Two", "a  b   c")])["Fields"].get("X-Two"), ["a  b   c"]))
    many = [str(n) for n in range(150)]

    def values():
        seen = asked(protocol, url, ca, "/wire/echo", [("X-Many", n) for n in many])["Fields"].get("X-Many", [])
        return wanted([v.strip() for line in seen for v in line.split(",")], many)

    check("150-values", values)
    if protocol != "h2":
        return

    def goaway():
        connection = Frames(url, ca)
        connection.socket.sendall(connection.head("GET", "/wire/slow"))
        connection.socket.sendall(pipeline.frame(pipeline.GOAWAY, 0, 0, struct.pack(">II", 0, 0)))
        return wanted(connection.answer(), ("200", b"late"))

    def settings():
        connection = Frames(url, ca)
        while connection.settings is None:
            connection.frame()
        return connection.settings

    def list_size():
        size = settings().get(6)
        return None if size is not None and size >= 32768 else f"SETTINGS_MAX_HEADER_LIST_SIZE {size} (expected: at least the 32 KiB that a head may have)"

    def other_protocol():
        connection = Frames(url, ca)
        connection.socket.sendall(connection.head("CONNECT", "/wire/socket", ends=False, pseudo=[(":protocol", "connect-udp")]))
        return wanted(connection.answer(until=0)[0], "501")

    def web_socket():
        connection = Frames(url, ca)
        connection.socket.sendall(connection.head("CONNECT", "/wire/socket", [("sec-websocket-version", "13")], False, [(":protocol", "websocket")]))
        opened = connection.answer(until=0)
        connection.socket.sendall(pipeline.frame(pipeline.DATA, 0, 1, b"\x81\x85abcd" + bytes(a ^ b for a, b in zip(b"hello", b"abcda"))))
        body = opened[1]
        while len(body) < 7:
            kind, _, number, payload = connection.frame()
            if kind in (pipeline.RST_STREAM, pipeline.GOAWAY):
                raise OSError(f"frame {kind} {payload}")
            body += payload if kind == pipeline.DATA and number == 1 else b""
        return wanted((opened[0], body), ("200", b"\x81\x05hello"))

    check("goaway", goaway)
    check("list-size", list_size)
    check("connect-announced", lambda: wanted(settings().get(8), 1))
    check("other-protocol", other_protocol)
    check("websocket-by-hand", web_socket)


if __name__ == "__main__":
    globals()["with_" + sys.argv[1]](*sys.argv[2:])
