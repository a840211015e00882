"""Random requests through a proxy, over connections that are written at random splits; see pipeline-fuzz.sh.

pipeline.py upstream [swap]                  echoes what it is asked; with `swap` some answers are those of other requests
pipeline.py relay PORT flip|drop|double      a relay to the upstream that now and then corrupts what passes
pipeline.py client SEED ROUNDS UPSTREAM_PORT CA PROTOCOL=URL ...
                                             PROTOCOL is h1, h1-tls, h2 or h2c; ends with 1 at the first answer that is wrong

A round is one connection, and all that is random in it comes from the seed and its number.
"""
import asyncio
import collections
import hashlib
import json
import logging
import os
import random
import socket
import ssl
import struct
import sys
import urllib.parse
import zlib

PATTERN = random.Random(7).randbytes(1 << 20)
LARGEST = 200_000
SILENCE = int(os.environ.get("SILENCE", "60"))  # seconds: longer, and a round has failed
AT_ONCE = 12
LACKS = os.environ.get("LACKS", "").split()  # what the proxy can't do: hints (103 from upstream), h2-trailers (in requests)


def content(name, size):
    """Bytes that are those of this name only."""
    start = zlib.crc32(name.encode()) % (len(PATTERN) - LARGEST)
    return PATTERN[start:start + size]


def size(rng):
    return rng.choice((0, rng.randrange(10), rng.randrange(1000), rng.randrange(20_000), rng.randrange(LARGEST + 1)))


# ---- the upstream

class Upstream:
    def __init__(self, swap):
        self.swap = swap
        self.seen = collections.Counter()
        self.last = None

    async def serve(self, reader, writer):
        try:
            while await self.exchange(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def exchange(self, reader, writer):
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")[:-2]
        except asyncio.IncompleteReadError as e:
            if e.partial:
                raise
            return False
        method, target, _ = head[0].split(" ")
        fields = collections.defaultdict(list)
        for line in head[1:]:
            name, value = line.split(":", 1)
            fields[name.lower()].append(value.strip())
        if target == "/report":
            await self.write(writer, "200", {"Content-Length": str(len(json.dumps(self.seen)))}, [json.dumps(self.seen).encode()])
            return True
        if fields["expect"]:
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        digest, length = hashlib.sha256(), 0
        async for piece in self.body(reader, fields):
            digest.update(piece)
            length += len(piece)
        path, _, query = target.partition("?")
        how = dict(urllib.parse.parse_qsl(query))
        name = path.rsplit("/", 1)[1]
        self.seen[name] += 1
        echo = {"name": name, "method": method, "target": target, "length": length, "sha": digest.hexdigest(), "noise": fields["x-noise"],
                "cookie": "; ".join(fields["cookie"]), "seen": self.seen[name]}
        if self.swap and self.last and random.random() < 0.02:
            echo = self.last
        else:
            self.last = echo
        return await self.answer(writer, method, how, name, json.dumps(echo))

    async def answer(self, writer, method, how, name, echo):
        rng = random.Random(name)
        body = content("answer " + name, int(how["size"]))
        fields = {"X-Echo": echo}
        if how.get("wait"):
            await asyncio.sleep(int(how["wait"]) / 1000)
        if how.get("hint"):
            writer.write(b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n")
        status = how.get("status", "200")
        if status == "204":
            await self.write(writer, status, fields, [])
            return True
        pieces = split(rng, body, how["splits"])
        frame = how["frame"]
        if frame == "length":
            fields["Content-Length"] = str(len(body))
        elif frame == "chunked":
            fields["Transfer-Encoding"] = "chunked"
            pieces = [b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces if piece]
            pieces.append(b"0\r\nX-End: 1\r\n\r\n" if rng.random() < 0.3 else b"0\r\n\r\n")
        else:
            fields["Connection"] = "close"
        await self.write(writer, status, fields, [] if method == "HEAD" else pieces, 0.003 if how.get("slow") else 0)
        return frame != "close"

    async def write(self, writer, status, fields, pieces, pause=0):
        writer.write(f"HTTP/1.1 {status} Whatever\r\n{''.join(f'{n}: {v}{chr(13)}{chr(10)}' for n, v in fields.items())}\r\n".encode())
        for number, piece in enumerate(pieces):
            writer.write(piece)
            await writer.drain()
            if pause and number < 5:
                await asyncio.sleep(pause)
        await writer.drain()

    async def body(self, reader, fields):
        if fields["transfer-encoding"]:
            while True:
                length = int((await reader.readuntil(b"\r\n")).split(b";")[0], 16)
                if length == 0:
                    break
                yield await reader.readexactly(length)
                if await reader.readexactly(2) != b"\r\n":
                    raise ConnectionError("no CRLF after a chunk")
            while await reader.readuntil(b"\r\n") != b"\r\n":
                pass
        else:
            left = int(fields["content-length"][0]) if fields["content-length"] else 0
            while left:
                piece = await reader.readexactly(min(left, 65536))
                left -= len(piece)
                yield piece


async def upstream(swap=""):
    server = await asyncio.start_server(Upstream(swap == "swap").serve, "127.0.0.1", 0, limit=1 << 20, backlog=1024)
    print(f"ready http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", flush=True)
    await server.serve_forever()


async def relay(port, kind):
    def corrupted(data):
        if random.random() > 0.02:
            return data
        at = random.randrange(len(data))
        if kind == "flip":
            return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]
        return data[:at] + data[at + 1:] if kind == "drop" else data + data

    async def pump(reader, writer):
        try:
            while data := await reader.read(65536):
                writer.write(corrupted(data))
                await writer.drain()
        except ConnectionError:
            pass
        writer.close()

    async def serve(reader, writer):
        try:
            there, back = await asyncio.open_connection("127.0.0.1", int(port))
        except OSError:
            writer.close()
            return
        await asyncio.gather(pump(reader, back), pump(there, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=1024)
    print(f"ready http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", flush=True)
    await server.serve_forever()


# ---- what a round asks

def split(rng, data, how):
    """The same bytes in pieces: `tiny` up to 3, `small` up to 200, `mixed` up to 16 KB, `whole` in one."""
    if how == "tiny" and len(data) > 3000:
        how = "small"
    if how == "small" and len(data) > 30_000:
        how = "mixed"
    if how == "whole" or not data:
        return [data]
    most = {"tiny": 3, "small": 200, "mixed": 16_384}[how]
    pieces, at = [], 0
    while at < len(data):
        step = rng.randrange(1, most + 1) if rng.random() < 0.8 else 1
        pieces.append(data[at:at + step])
        at += step
    return pieces


class Request:
    def __init__(self, rng, name, hints):
        self.name = name
        self.method = rng.choice(("GET", "GET", "HEAD", "POST", "POST", "PUT", "DELETE"))
        self.framing = rng.choice(("length", "chunked")) if self.method in ("POST", "PUT") else None
        self.body = content("request " + name, size(rng)) if self.framing else b""
        self.expect = rng.choice((None, None, None, "waits", "goes on")) if self.body else None
        self.trailers = self.framing == "chunked" and rng.random() < 0.3
        how = {"size": size(rng), "frame": rng.choice(("length", "length", "chunked", "chunked", "close")),
               "splits": rng.choice(("tiny", "small", "mixed", "whole"))}
        if rng.random() < 0.1:
            how["wait"] = rng.randrange(1, 20)
        if rng.random() < 0.1:
            how["slow"] = 1
        if rng.random() < 0.05:
            how.update(status=204, size=0)
        if hints and rng.random() < 0.05:
            how["hint"] = 1
        self.how = how
        self.target = f"/{'d' * rng.choice((1, 1, 1, rng.randrange(1, 2000)))}/{name}?" + urllib.parse.urlencode(how)
        self.noise = ["".join(rng.choices("abcdefgh,;=-", k=rng.choice((1, 20, rng.randrange(1, 3000))))) for _ in range(rng.choice((0, 0, 1, 3)))]
        self.crumbs = [f"c{i}={'v' * rng.randrange(1, 60)}" for i in range(rng.choice((0, 0, 1, 4)))]
        self.cancelled = False

    def wrong(self, what, seen, wanted):
        return Wrong(f"{self.method} {self.name} ({self.how}): {what}: {str(seen)[:200]} (expected: {str(wanted)[:200]})")

    def check(self, status, echoes, body):
        """Whether this is the answer; what the upstream says that it saw is in a header field."""
        if str(status) != str(self.how.get("status", 200)):
            raise self.wrong("status", status, self.how.get("status", 200))
        if len(echoes) != 1:
            raise self.wrong("echoes", echoes, "one")
        seen = json.loads(echoes[0])
        wanted = {"name": self.name, "method": self.method, "target": self.target, "length": len(self.body), "sha": hashlib.sha256(self.body).hexdigest(),
                  "noise": self.noise, "cookie": "; ".join(self.crumbs), "seen": 1}
        for key, value in wanted.items():
            if seen.get(key) != value:
                raise self.wrong(key, seen.get(key), value)
        whole = b"" if self.method == "HEAD" or "status" in self.how else content("answer " + self.name, self.how["size"])
        if body != whole:
            at = next((i for i, (a, b) in enumerate(zip(body, whole)) if a != b), min(len(body), len(whole)))
            raise self.wrong("body", f"{len(body)} bytes, different at {at}", f"{len(whole)} bytes")


class Wrong(Exception):
    pass


async def pause(rng, lazy):
    if rng.random() < lazy:
        await asyncio.sleep(rng.random() * 0.003)


async def cancel(task):
    """Ends a task: asyncio.wait_for may swallow a cancellation that comes together with what it waits for, so one isn't always enough."""
    while not task.done():
        task.cancel()
        await asyncio.wait((task,), timeout=0.1)
    if not task.cancelled():
        task.exception()


class Splits:
    """Writes what it is given at random splits, with a pause now and then."""

    def __init__(self, rng, writer):
        self.rng = rng
        self.writer = writer
        self.how = rng.choice(("tiny", "small", "mixed", "mixed", "whole"))
        self.pauses = rng.choice((0, 0, 0.002, 0.02))

    async def write(self, data):
        pauses = 0
        for piece in split(self.rng, bytes(data), self.how):
            self.writer.write(piece)
            await self.writer.drain()
            if pauses < 30 and self.rng.random() < self.pauses * (5 if len(piece) > 1000 else 1):
                pauses += 1
                await asyncio.sleep(self.rng.random() * 0.003)


# ---- HTTP/1.1

class Http1:
    def __init__(self, rng, requests, host):
        self.rng = rng
        self.requests = requests
        self.host = host
        self.answered = 0
        self.lazy = 0  # how often the reader rests
        self.continued = [asyncio.Event() for _ in requests]
        self.last = rng.choice(("keep", "close", "close", "1.0"))
        if requests[-1].framing == "chunked" and self.last == "1.0":
            self.last = "close"

    def head(self, request, is_last):
        version = "1.0" if is_last and self.last == "1.0" else "1.1"
        lines = [f"{request.method} {request.target} HTTP/{version}"]
        fields = [("Host", self.host)] + [("X-Noise", noise) for noise in request.noise]
        if request.crumbs:
            fields.append(("Cookie", "; ".join(request.crumbs)))
        if request.framing == "length":
            fields.append(("Content-Length", str(len(request.body))))
        elif request.framing == "chunked":
            fields.append(("Transfer-Encoding", "chunked"))
        if request.expect and version == "1.1":
            fields.append(("Expect", "100-continue"))
        if is_last and self.last == "close":
            fields.append(("Connection", "close"))
        noise = [f for f in fields if f[0] == "X-Noise"]
        self.rng.shuffle(fields)
        fields = [noise.pop(0) if f[0] == "X-Noise" else f for f in fields]  # their own order counts
        cased = [(self.rng.choice((str, str.lower, str.upper))(n), self.rng.choice(("", " ", " ", "  ")) + v) for n, v in fields]
        start = "\r\n" if self.rng.random() < 0.03 else ""
        return (start + "\r\n".join(lines + [f"{n}:{v}" for n, v in cased]) + "\r\n\r\n").encode()

    def encoded(self, request):
        if request.framing != "chunked":
            return request.body
        out = bytearray()
        for piece in split(self.rng, request.body, self.rng.choice(("tiny", "small", "mixed", "whole"))):
            if piece:
                extension = b";a=b" if self.rng.random() < 0.02 else b""
                number = b"%x" % len(piece)
                out += (number.upper() if self.rng.random() < 0.5 else b"0" * self.rng.randrange(3) + number) + extension + b"\r\n" + piece + b"\r\n"
        return bytes(out) + (b"0\r\nX-Sum: 1\r\nX-More: a\r\n\r\n" if request.trailers else b"0\r\n\r\n")

    async def run(self, reader, writer):
        writing = asyncio.ensure_future(self.write(Splits(self.rng, writer)))
        try:
            for number, request in enumerate(self.requests):
                await pause(self.rng, self.lazy)
                await self.answer(reader, number, request)
                self.answered += 1
            await writing
            if self.last != "keep":
                rest = await reader.read(1000)
                if rest:
                    raise Wrong(f"after the last answer: {rest[:100]}")
            elif reader._buffer:
                raise Wrong(f"after the last answer: {bytes(reader._buffer[:100])}")
        finally:
            await cancel(writing)

    def unanswered(self):
        return self.requests[self.answered:]

    def left(self):
        return f"{self.answered} of {len(self.requests)} answered"

    async def write(self, splits):
        unsent = b""
        for number, request in enumerate(self.requests):
            is_last = number == len(self.requests) - 1
            unsent += self.head(request, is_last)
            if request.expect == "waits" and not (is_last and self.last == "1.0"):
                await splits.write(unsent)
                unsent = b""
                await self.continued[number].wait()
            unsent += self.encoded(request)
            if len(unsent) > 300_000 or self.rng.random() < 0.3:
                await splits.write(unsent)
                unsent = b""
        await splits.write(unsent)

    async def answer(self, reader, number, request):
        while True:
            try:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")[:-2]
            except asyncio.IncompleteReadError as e:
                raise request.wrong("answer", f"end of the connection after {e.partial[:100]}", "an answer") from e
            if head[0][:9] not in ("HTTP/1.1 ", "HTTP/1.0 "):
                raise request.wrong("status line", head[0], "HTTP/1.1")
            status = head[0][9:12]
            if status == "100" and not (request.expect and number < len(self.requests)):
                raise request.wrong("interim", "100", "none, it wasn't asked for")
            self.continued[number].set()
            if status not in ("100", "103"):
                break
        fields = collections.defaultdict(list)
        for line in head[1:]:
            name, value = line.split(":", 1)
            fields[name.lower()].append(value.strip())
        chunked, length = fields["transfer-encoding"], fields["content-length"]
        if request.method == "HEAD" or status in ("204", "304"):
            body = b""
        elif chunked:
            if chunked != ["chunked"] or length:
                raise request.wrong("framing", (chunked, length), "chunked")
            body = await self.chunks(reader, request)
        elif length:
            body = await reader.readexactly(int(length[0]))
        else:
            if number < len(self.requests) - 1:
                raise request.wrong("framing", "none", "length or chunks, the connection is to stay")
            body = await reader.read(-1)
        request.check(status, fields["x-echo"], body)

    async def chunks(self, reader, request):
        body = bytearray()
        while True:
            line = await reader.readuntil(b"\r\n")
            length = int(line.split(b";")[0], 16)
            if length == 0:
                while await reader.readuntil(b"\r\n") != b"\r\n":
                    pass
                return bytes(body)
            body += await reader.readexactly(length)
            if await reader.readexactly(2) != b"\r\n":
                raise request.wrong("chunk", "no CRLF after it", "CRLF")


# ---- HTTP/2

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS, PADDED, WITH_PRIORITY = 1, 1, 4, 8, 32


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes((kind, flags)) + struct.pack(">I", stream) + payload


class Stream:
    def __init__(self, number, request):
        self.number = number
        self.request = request
        self.window = 0
        self.sent = 0
        self.state = "new"  # then "head", "done"
        self.wait_until = 0
        self.continued = False
        self.status = None
        self.echoes = []
        self.body = bytearray()
        self.uncredited = 0
        self.ended = False


class Http2:
    def __init__(self, rng, requests, host, scheme):
        import hpack
        self.rng = rng
        self.host, self.scheme = host, scheme
        self.encoder, self.decoder = hpack.Encoder(), hpack.Decoder()
        if "h2-trailers" in LACKS:
            for request in requests:
                request.trailers = False
        self.streams = {2 * i + 1: Stream(2 * i + 1, request) for i, request in enumerate(requests)}
        self.lazy = 0
        self.out = bytearray()
        self.progress = asyncio.Event()
        self.window = 65535
        self.initial = 65535  # the peer's
        self.largest = 16384
        self.peer_streams = 100
        self.next = 1  # streams are opened in their order
        self.own_initial = rng.choice((65535, 65535, 1000, 16384, 1 << 20, 100))
        if sum(request.how["size"] for request in requests) > 500 * self.own_initial:
            self.own_initial = 65535  # a flood of WINDOW_UPDATE isn't what is tried here
        self.own_window = 65535
        self.uncredited = 0
        self.table = rng.choice((4096, 4096, 0, 100))
        self.decoder.max_allowed_table_size = self.table
        self.pads = rng.random() < 0.3
        self.pings = 0
        self.block = None

    async def run(self, reader, writer):
        settings = {1: self.table, 4: self.own_initial}
        self.decoder.header_table_size = 4096
        self.decoder.max_allowed_table_size = max(4096, self.table)
        self.out += b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0, b"".join(struct.pack(">HI", *s) for s in settings.items()))
        writing = asyncio.ensure_future(self.write(Splits(self.rng, writer)))
        try:
            while not all(s.ended for s in self.streams.values()):
                await pause(self.rng, self.lazy)
                reading = asyncio.ensure_future(reader.readexactly(9))
                await asyncio.wait((reading, writing), return_when=asyncio.FIRST_COMPLETED)
                if not reading.done():  # all is written, and maybe the last stream was cancelled
                    if writing.exception() or all(s.ended for s in self.streams.values()):
                        reading.cancel()
                        await writing
                        break
                try:
                    head = await reading
                    length = struct.unpack(">I", b"\0" + head[:3])[0]
                    payload = await reader.readexactly(length)
                except asyncio.IncompleteReadError as e:
                    missing = [s.number for s in self.streams.values() if not s.ended]
                    raise Wrong(f"end of the connection while streams {missing} have no answer") from e
                self.received(head[3], head[4], struct.unpack(">I", head[5:])[0] & 0x7FFFFFFF, payload)
                self.progress.set()
            for stream in self.streams.values():
                if not stream.request.cancelled:
                    stream.request.check(stream.status, stream.echoes, bytes(stream.body))
        finally:
            await cancel(writing)

    def unanswered(self):
        return [s.request for s in self.streams.values() if not s.ended]

    def left(self):
        return f"window {self.window}, " + "; ".join(
            f"{s.number} {s.request.method} {s.state} sent {s.sent}/{len(s.request.body)} window {s.window} status {s.status} received {len(s.body)}/{s.request.how['size']}"
            for s in self.streams.values() if not s.ended)

    # -- what we send

    async def write(self, splits):
        waiting = list(self.streams.values())
        active = []
        while True:
            self.progress.clear()
            now = asyncio.get_running_loop().time()
            while waiting and len(active) < self.peer_streams and (not active or self.rng.random() < 0.5):
                active.append(waiting.pop(0))
            able = [s for s in active if self.able(s, now)]
            for _ in range(self.rng.choice((1, 1, 3, 20))):
                if not able:
                    break
                self.step(self.rng.choice(able), now)
                able = [s for s in active if self.able(s, now)]
            active = [s for s in active if not (s.state == "done" and s.ended)]
            if not waiting and not active and not self.out:
                return
            if self.rng.random() < 0.01 and self.pings < 2:
                self.pings += 1
                self.out += frame(PING, 0, 0, b"abcdefgh")
            if self.rng.random() < 0.01:
                self.out += frame(PRIORITY, 0, 1, struct.pack(">IB", 0, 10))
            if self.out:
                data, self.out = self.out, bytearray()
                await splits.write(data)
            elif not able:
                try:
                    await asyncio.wait_for(self.progress.wait(), 0.1)
                except asyncio.TimeoutError:
                    pass

    def able(self, stream, now):
        if stream.state == "new":
            return stream.number == self.next
        if stream.state == "done":
            return False
        if stream.wait_until > now and not stream.continued:
            return False
        left = len(stream.request.body) - stream.sent
        return left == 0 or (self.window > 0 and stream.window > 0)

    def step(self, stream, now):
        request, rng = stream.request, self.rng
        if stream.state == "head" and rng.random() < 0.003 or stream.state == "new" and rng.random() < 0.01:
            request.cancelled = True
            if stream.state == "head":
                self.out += frame(RST_STREAM, 0, stream.number, struct.pack(">I", 8))
                stream.state, stream.ended = "done", True
                return
            # its head is sent, and then it is cancelled
        if stream.state == "new":
            self.next += 2
            stream.window = self.initial
            fields = [(":method", request.method), (":scheme", self.scheme), (":path", request.target), (":authority", self.host)]
            rng.shuffle(fields)
            fields += [("x-noise", noise) for noise in request.noise] + [("cookie", crumb) for crumb in request.crumbs]
            if request.framing == "length":
                fields.append(("content-length", str(len(request.body))))
            if request.expect:
                fields.append(("expect", "100-continue"))
                if request.expect == "waits":
                    stream.wait_until = now + 0.3
            ends = not request.framing or (not request.body and not request.trailers and rng.random() < 0.5)
            self.headers(stream.number, fields, ends)
            stream.state = "done" if ends else "head"
            if request.cancelled:
                self.out += frame(RST_STREAM, 0, stream.number, struct.pack(">I", 8))
                stream.state, stream.ended = "done", True
            return
        left = len(request.body) - stream.sent
        most = min(left, self.window, stream.window, self.largest - 256)
        length = rng.randrange(1, most + 1) if most and (rng.random() < 0.3 or left < 300) else most
        if left > 3000 and most > 500:
            length = max(length, 500)
        pad = rng.randrange(1, 100) if self.pads and most - length > 101 else 0
        is_last = length == left
        ends = is_last and not request.trailers and (left == 0 or rng.random() < 0.7)
        if length or ends:
            data = request.body[stream.sent:stream.sent + length]
            flags = (END_STREAM if ends else 0) | (PADDED if pad else 0)
            payload = bytes([pad - 1]) + data + b"\0" * (pad - 1) if pad else data
            self.out += frame(DATA, flags, stream.number, payload)
            stream.sent += length
            stream.window -= len(payload)
            self.window -= len(payload)
        if ends:
            stream.state = "done"
        elif is_last and request.trailers:
            self.headers(stream.number, [("x-sum", "1"), ("x-more", "a")], True)
            stream.state = "done"

    def headers(self, number, fields, ends):
        rng = self.rng
        block = self.encoder.encode(fields, huffman=rng.random() < 0.5)
        pieces = [block]
        if rng.random() < 0.2 and len(block) > 3:
            cuts = sorted(rng.sample(range(1, len(block)), rng.randrange(1, 3)))
            pieces = [block[a:b] for a, b in zip([0] + cuts, cuts + [len(block)])]
        first, flags = pieces[0], END_STREAM if ends else 0
        if rng.random() < 0.1:
            first, flags = struct.pack(">IB", 0, rng.randrange(256)) + first, flags | WITH_PRIORITY
        if self.pads:
            pad = rng.randrange(50)
            first, flags = bytes([pad]) + first + b"\0" * pad, flags | PADDED
        self.out += frame(HEADERS, flags | (END_HEADERS if len(pieces) == 1 else 0), number, first)
        for index, piece in enumerate(pieces[1:], 2):
            self.out += frame(CONTINUATION, END_HEADERS if index == len(pieces) else 0, number, piece)

    # -- what we receive

    def received(self, kind, flags, number, payload):
        if self.block and kind != CONTINUATION:
            raise Wrong(f"frame {kind} within a header block")
        stream = self.streams.get(number)
        if number and (stream is None or stream.state == "new"):
            raise Wrong(f"frame {kind} of stream {number}, which isn't open")
        if stream and stream.ended and not stream.request.cancelled and kind in (DATA, HEADERS):
            raise Wrong(f"frame {kind} of stream {number} after its end")
        if kind == SETTINGS:
            if not flags & ACK:
                self.settings(payload)
        elif kind == PING:
            if flags & ACK and payload != b"abcdefgh":
                raise Wrong("a PING's answer with other bytes")
            if not flags & ACK:
                self.out += frame(PING, ACK, 0, payload)
        elif kind == WINDOW_UPDATE:
            step = struct.unpack(">I", payload)[0]
            if number:
                stream.window += step
            else:
                self.window += step
        elif kind == GOAWAY:
            raise Wrong(f"GOAWAY, last stream {struct.unpack('>I', payload[:4])[0]}, error {struct.unpack('>I', payload[4:8])[0]}, {payload[8:100]}")
        elif kind == RST_STREAM:
            code = struct.unpack(">I", payload)[0]
            if not stream.request.cancelled and not (stream.ended and code == 0):
                raise stream.request.wrong("RST_STREAM", code, "an answer")
        elif kind == DATA:
            self.data(stream, flags, payload)
        elif kind == HEADERS:
            if flags & PADDED:
                payload = payload[1:len(payload) - payload[0]]
            self.block = [stream, flags, payload[5:] if flags & WITH_PRIORITY else payload]
            if flags & END_HEADERS:
                self.block_ends()
        elif kind == CONTINUATION:
            self.block[2] += payload
            if flags & END_HEADERS:
                self.block_ends()
        elif kind == PUSH_PROMISE:
            raise Wrong("PUSH_PROMISE")

    def settings(self, payload):
        for at in range(0, len(payload), 6):
            name, value = struct.unpack(">HI", payload[at:at + 6])
            if name == 1:
                self.encoder.header_table_size = min(value, 4096)
            elif name == 3:
                self.peer_streams = min(value, 100)
            elif name == 4:
                for stream in self.streams.values():
                    stream.window += value - self.initial
                self.initial = value
            elif name == 5:
                self.largest = value
        self.out += frame(SETTINGS, ACK, 0)

    def data(self, stream, flags, payload):
        self.own_window -= len(payload)
        stream.uncredited += len(payload)
        self.uncredited += len(payload)
        if self.own_window < 0 or stream.uncredited > max(65535, self.own_initial):
            raise stream.request.wrong("flow control", "more than the window", "less")
        data = payload[1:len(payload) - payload[0]] if flags & PADDED else payload
        if not stream.request.cancelled:
            stream.body += data
        if flags & END_STREAM:
            stream.ended = True
        elif stream.uncredited and not stream.request.cancelled and (stream.uncredited > self.own_initial // 2 or self.rng.random() < 0.1):
            self.out += frame(WINDOW_UPDATE, 0, stream.number, struct.pack(">I", stream.uncredited))
            stream.uncredited = 0
        if self.uncredited > 30_000 or (self.uncredited and self.rng.random() < 0.1):
            self.out += frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", self.uncredited))
            self.own_window += self.uncredited
            self.uncredited = 0

    def block_ends(self):
        stream, flags, block = self.block
        self.block = None
        fields = [(n.decode() if isinstance(n, bytes) else n, v.decode("latin-1") if isinstance(v, bytes) else v) for n, v in self.decoder.decode(block, raw=True)]
        if stream.request.cancelled:
            return
        values = dict(fields)
        status = values.get(":status")
        if stream.status is None:
            if status in ("100", "103"):
                stream.continued = True
                return
            if status is None:
                raise stream.request.wrong("status", fields, "a status")
            stream.status, stream.continued = status, True
            stream.echoes = [v for n, v in fields if n == "x-echo"]
        elif status is not None or not flags & END_STREAM:
            raise stream.request.wrong("second header block", fields, "trailers")
        if flags & END_STREAM:
            stream.ended = True


# ---- rounds

class Client:
    def __init__(self, seed, upstream_port, ca, targets, hints):
        self.seed, self.upstream_port, self.hints = seed, upstream_port, hints
        self.targets = [target.split("=", 1) for target in targets]
        self.tls = {}
        for protocol in ("http/1.1", "h2"):
            self.tls[protocol] = ssl.create_default_context(cafile=ca)
            self.tls[protocol].set_alpn_protocols([protocol])
        self.requests, self.bytes = collections.Counter(), 0
        self.may, self.must = set(), set()

    async def round(self, number):
        rng = random.Random(f"{self.seed}/{number}")
        protocol, url = rng.choice(self.targets)
        address = urllib.parse.urlsplit(url)
        h2 = protocol in ("h2", "h2c")
        count = rng.randrange(1, 21 if h2 else 9)
        requests = [Request(rng, f"{number}-{i}", self.hints) for i in range(count)]
        tls = self.tls["h2" if h2 else "http/1.1"] if address.scheme == "https" else None
        host = address.netloc
        case = Http2(rng, requests, host, address.scheme) if h2 else Http1(rng, requests, host)
        leaves = rng.random() * 0.05 if rng.random() < 0.05 else None  # seconds
        writer = None
        try:
            connection = socket.socket()
            connection.setblocking(False)
            case.lazy = rng.choice((0, 0, 0, 0.01, 0.1))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", address.port))
            reader, writer = await asyncio.open_connection(sock=connection, ssl=tls, server_hostname="localhost" if tls else None, limit=1 << 17)
            await asyncio.wait_for(case.run(reader, writer), leaves or SILENCE)
        except asyncio.TimeoutError:
            if leaves is None:
                raise Failure(number, protocol, f"not over within {SILENCE} s: {case.left()}") from None
            for request in case.unanswered():
                request.cancelled = True
        except Wrong as e:
            raise Failure(number, protocol, str(e)) from None
        except (OSError, asyncio.IncompleteReadError, ValueError) as e:
            raise Failure(number, protocol, repr(e)) from e
        finally:
            if writer:
                writer.transport.abort()
        for request in requests:
            (self.may if request.cancelled else self.must).add(request.name)
            self.bytes += len(request.body) + request.how["size"]
        self.requests[protocol] += count

    async def report(self):
        """Whether the upstream has seen each request once, and no other."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.upstream_port, limit=1 << 26)
        writer.write(b"GET /report HTTP/1.1\r\n\r\n")
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        seen = json.loads(await reader.readexactly(int(head.split("Content-Length: ")[1].split("\r\n")[0])))
        writer.close()
        seen.pop("probe", None)
        for name, count in seen.items():
            if count != 1 or name not in self.must | self.may:
                raise Failure(int(name.split("-")[0]) if name[0].isdigit() else -1, "report", f"the upstream saw {name} {count} times")
        if lost := self.must - set(seen):
            raise Failure(int(min(lost).split("-")[0]), "report", f"answered, but never seen upstream: {min(lost)}")


class Failure(Exception):
    def __init__(self, number, protocol, what):
        super().__init__(what)
        self.number, self.protocol = number, protocol


async def client(seed, rounds, upstream_port, ca, *targets):
    judge = Client(seed, int(upstream_port), ca, targets, "hints" not in LACKS)
    only = os.environ.get("ROUND")
    numbers = iter([int(only)] if only else range(int(rounds)))
    failures = []

    async def worker():
        for number in numbers:
            if failures:
                return
            try:
                await judge.round(number)
            except Failure as e:
                failures.append(e)

    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))
    if not failures:
        try:
            await judge.report()
        except Failure as e:
            failures.append(e)
    print(f"seed {seed}: {sum(judge.requests.values())} requests {dict(sorted(judge.requests.items()))}, {judge.bytes / 1e6:.0f} MB of bodies, {len(failures)} failures")
    for e in failures:
        print(f"FAILED: SEED={seed} ROUND={e.number} {e.protocol}: {e}")
    return 1 if failures else 0


if __name__ == "__main__":
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    sys.exit(asyncio.run({"upstream": upstream, "relay": relay, "client": client}[sys.argv[1]](*sys.argv[2:])))
