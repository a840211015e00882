"""Upstreams of HTTP/2 that do harm, each kind by frames made by hand, and the clients that meet them through a proxy.

    serve               listens with each kind; prints `ready KIND=PORT…`
    clients URL SECONDS asks from 16 clients, one request after the other; prints how they ended

A kind plays its part on every connection, as soon as a request head has come, for 5 s at most.
"""

import asyncio
import collections
import random
import socket
import struct
import sys
import threading
import time

DATA, HEADERS, PRIORITY, RST, SETTINGS, PUSH, PING, GOAWAY, WINDOW, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS = 1, 1, 4
LASTS = 5
CLIENTS = 16
CLIENT_SECONDS = 6


def frame(kind, flags, stream, payload=b"", length=None):
    return struct.pack(">I", len(payload) if length is None else length)[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def integer(value, bits, first=0):
    most = (1 << bits) - 1
    if value < most:
        return bytes((first | value,))
    out = bytearray((first | most,))
    value -= most
    while value >= 128:
        out.append(value % 128 + 128)
        value //= 128
    return bytes(out) + bytes((value,))


def literal(name, value, first=0):
    return bytes((first,)) + integer(len(name), 7) + name + integer(len(value), 7) + value


OK = b"\x88"


def head(stream, block=OK, flags=END_HEADERS):
    return frame(HEADERS, flags, stream, block)


def number(value):
    return struct.pack(">I", value)


class Peer:
    def __init__(self, sock):
        self.sock = sock
        self.until = time.monotonic() + LASTS

    def exactly(self, count):
        data = b""
        while len(data) < count:
            more = self.sock.recv(count - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    def request(self):
        """The stream of the next request head."""
        while True:
            size, kind, flags, stream = struct.unpack(">IBBI", b"\0" + self.exactly(9))
            payload = self.exactly(size)
            if kind == SETTINGS and not flags:
                self.sock.sendall(frame(SETTINGS, ACK, 0))
            elif kind == HEADERS:
                return stream
            elif kind == PING and not flags:
                self.sock.sendall(frame(PING, ACK, 0, payload))

    def flood(self, piece):
        """16 KiB of it every 10 ms: what fills a processor would harm others by that alone."""
        some = piece * max(1, 16384 // len(piece))
        while time.monotonic() < self.until:
            self.sock.sendall(some)
            time.sleep(0.01)

    def send(self, *frames):
        self.sock.sendall(b"".join(frames))

    def wait(self):
        self.sock.settimeout(max(0.01, self.until - time.monotonic()))
        while self.sock.recv(65536):
            pass


def each(play):
    """Plays for every request of a connection."""

    def part(peer):
        while time.monotonic() < peer.until:
            play(peer, peer.request())

    return part


def once(play, settings=b""):
    """Plays for the first request, then waits for the end."""

    def part(peer):
        play(peer, peer.request())
        peer.wait()

    part.settings = settings
    return part


def trickled(peer, stream):
    for byte in head(stream, OK + literal(b"x-long", b"y" * 1000)):
        if time.monotonic() >= peer.until:
            break
        peer.send(bytes((byte,)))
        time.sleep(0.05)


def without_settings(peer):
    peer.wait()


def garbage(peer):
    peer.flood(random.randbytes(4096))


def http1(peer):
    peer.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


def closes(peer):
    peer.request()


def no_streams(peer):
    peer.wait()


no_streams.settings = b"\0\x03" + number(0)
BOMB = literal(b"x-bomb", b"b" * 4000, 0x40) + b"\xbe" * 4000
PARTS = {
    "ping-flood": once(lambda p, s: p.flood(frame(PING, 0, 0, b"12345678"))),
    "pong-flood": once(lambda p, s: p.flood(frame(PING, ACK, 0, b"12345678"))),
    "settings-flood": once(lambda p, s: p.flood(frame(SETTINGS, 0, 0, b"\0\x04" + number(65535)))),
    "priority-flood": once(lambda p, s: p.flood(frame(PRIORITY, 0, s, b"\0\0\0\0\x10"))),
    "window-flood": once(lambda p, s: p.flood(frame(WINDOW, 0, 0, number(1)))),
    "reset-flood": once(lambda p, s: p.flood(frame(RST, 0, s, number(8)))),
    "empty-data-flood": once(lambda p, s: (p.send(head(s)), p.flood(frame(DATA, 0, s)))),
    "unknown-flood": once(lambda p, s: p.flood(frame(0xBE, 0, 0, b"x"))),
    "continuation-flood": once(lambda p, s: (p.send(head(s, OK, 0)), p.flood(frame(CONTINUATION, 0, s)))),
    "endless-head": once(lambda p, s: (p.send(head(s, OK, 0)), p.flood(frame(CONTINUATION, 0, s, literal(b"x-more", b"y" * 100))))),
    "interim-flood": once(lambda p, s: p.flood(head(s, literal(b":status", b"103")))),
    "trickled-head": once(trickled),
    "large-head": each(lambda p, s: p.send(head(s, OK + literal(b"x-large", b"y" * 15000), 0), *(frame(CONTINUATION, 0, s, literal(b"x-large", b"y" * 15000)) for _ in range(100)))),
    "hpack-index": each(lambda p, s: p.send(head(s, OK + b"\xff\xff\xff\x7f"))),
    "hpack-bomb": each(lambda p, s: p.send(head(s, OK + BOMB))),
    "hpack-table": each(lambda p, s: p.send(head(s, b"\x3f\xff\xff\xff\x7f" + OK))),
    "field-with-newline": each(lambda p, s: p.send(head(s, OK + literal(b"x-split", b"a\r\nset-cookie: b"), END_HEADERS | END_STREAM))),
    "no-status": each(lambda p, s: p.send(head(s, literal(b"x", b"y"), END_HEADERS | END_STREAM))),
    "body-too-short": each(lambda p, s: p.send(head(s, OK + literal(b"content-length", b"10")), frame(DATA, END_STREAM, s, b"12345"))),
    "body-too-long": each(lambda p, s: p.send(head(s, OK + literal(b"content-length", b"1")), frame(DATA, END_STREAM, s, b"12345"))),
    "data-before-head": each(lambda p, s: p.send(frame(DATA, END_STREAM, s, b"12345"))),
    "data-beyond-window": each(lambda p, s: p.send(head(s), *(frame(DATA, 0, s, b"d" * 16384) for _ in range(2000)))),
    "frame-too-large": each(lambda p, s: p.send(frame(DATA, 0, s, b"x" * 100, (1 << 24) - 1))),
    "stream-that-is-idle": each(lambda p, s: p.send(head(s + 100))),
    "push": each(lambda p, s: p.send(frame(PUSH, END_HEADERS, s, number(2) + OK))),
    "window-above-all": each(lambda p, s: p.send(frame(WINDOW, 0, 0, number(0x7FFFFFFF)) * 2)),
    "resets": each(lambda p, s: p.send(frame(RST, 0, s, number(2)))),
    "resets-after-head": each(lambda p, s: p.send(head(s), frame(DATA, 0, s, b"x" * 100), frame(RST, 0, s, number(2)))),
    "refuses-all": each(lambda p, s: p.send(frame(RST, 0, s, number(7)))),
    "goaway": once(lambda p, s: p.send(frame(GOAWAY, 0, 0, number(0) + number(0)))),
    "goaway-of-all": once(lambda p, s: p.send(frame(GOAWAY, 0, 0, number(0x7FFFFFFF) + number(11)))),
    "closes": closes,
    "no-window": once(lambda p, s: None, b"\0\x04" + number(0)),
    "no-streams": no_streams,
    "no-settings": without_settings,
    "garbage": garbage,
    "http1": http1,
}


def serve_one(name, sock):
    with sock:
        try:
            peer = Peer(sock)
            sock.settimeout(LASTS)
            peer.exactly(24)
            if name not in ("no-settings", "garbage", "http1"):
                peer.send(frame(SETTINGS, 0, 0, getattr(PARTS[name], "settings", b"")))
            PARTS[name](peer)
        except (OSError, EOFError):
            pass


def listen(name, listener):
    while True:
        sock, _ = listener.accept()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=serve_one, args=(name, sock), daemon=True).start()


def serve():
    ports = []
    for name in PARTS:
        listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        ports.append(f"{name}={listener.getsockname()[1]}")
        threading.Thread(target=listen, args=(name, listener), daemon=True).start()
    print("ready", *ports, flush=True)
    threading.Event().wait()


async def client(host, port, path, until, ends):
    # what an upstream may leave untaken
    body = b"u" * 100_000 if path == "/no-window/" else b""
    request = f"{'POST' if body else 'GET'} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body
    while time.monotonic() < until:
        writer = None
        try:
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(request)
            line = await asyncio.wait_for(reader.readline(), CLIENT_SECONDS)
            while await asyncio.wait_for(reader.read(65536), CLIENT_SECONDS):
                pass
            ends[line.decode().split(" ")[1] if line else "closed"] += 1
        except asyncio.TimeoutError:
            ends["left"] += 1
        except OSError:
            ends["closed"] += 1
        finally:
            if writer is not None:
                writer.close()
        await asyncio.sleep(0.02)


async def clients(url, seconds):
    host, port = url.split("/")[2].split(":")
    path = "/" + url.split("/", 3)[3]
    ends = collections.Counter()
    until = time.monotonic() + float(seconds)
    await asyncio.gather(*(client(host, int(port), path, until, ends) for _ in range(CLIENTS)))
    print(ends.total(), "requests:", ", ".join(f"{count} {end}" for end, count in sorted(ends.items())))


if sys.argv[1] == "serve":
    serve()
else:
    asyncio.run(clients(*sys.argv[2:]))
