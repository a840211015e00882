# The service and the client of grpc.go, by grpcio.
#
#   serve ADDRESS [CERT KEY]        prints `ready ADDRESS`
#   check ADDRESS CA|- [NAME…]      prints `NAME ok`, or what was seen, for each check
#   watch ADDRESS CA|- SECONDS PAUSE
#   answers URL CA|- PATH…          by Python's h2: what a call to each path of the proxy at this URL is answered with, frame by frame
import asyncio
import socket
import ssl
import sys
import time
from urllib.parse import urlsplit

MOST = [("grpc.max_receive_message_length", 64 << 20), ("grpc.max_send_message_length", 64 << 20), ("grpc.max_concurrent_streams", 10000)]


def serve(address, *files):
    import grpc
    from grpc import aio

    gone = {}

    def metadata(context, key):
        return next((v for k, v in context.invocation_metadata() if k == key), b"" if key.endswith("-bin") else "")

    async def unary(message, context):
        tail = (("x-tail-bin", metadata(context, "x-meta-bin")), ("tail.key_x", metadata(context, "x-meta")))
        context.set_trailing_metadata(tail)
        do = metadata(context, "x-do")
        if do == "fail":
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, "größer: 100 %", tail)
        if do == "wait":
            try:
                await asyncio.sleep(60)
            finally:
                gone.setdefault(metadata(context, "x-id"), asyncio.Queue()).put_nowait(int(time.time() * 1000))
        if do == "deadline":
            message = str(int(context.time_remaining() * 1000)).encode()
        await context.send_initial_metadata((("x-head", metadata(context, "x-meta")),))
        return message

    async def when(message, context):
        try:
            return str(await asyncio.wait_for(gone.setdefault(message.decode(), asyncio.Queue()).get(), 5)).encode()
        except asyncio.TimeoutError:
            return b"never"

    async def up(messages, context):
        count = size = 0
        async for message in messages:
            count += 1
            size += len(message)
        return f"{count} {size}".encode()

    async def down(message, context):
        count, pause, size = map(int, message.split())
        for i in range(count):
            if i and pause:
                await asyncio.sleep(pause / 1000)
            yield b"x" * size

    async def both(messages, context):
        async for message in messages:
            yield message

    async def main():
        server = aio.server(options=MOST)
        server.add_generic_rpc_handlers(
            (
                grpc.method_handlers_generic_handler(
                    "webproxy.Echo",
                    {
                        "Unary": grpc.unary_unary_rpc_method_handler(unary),
                        "Gone": grpc.unary_unary_rpc_method_handler(when),
                        "Up": grpc.stream_unary_rpc_method_handler(up),
                        "Down": grpc.unary_stream_rpc_method_handler(down),
                        "Both": grpc.stream_stream_rpc_method_handler(both),
                    },
                ),
            )
        )
        if files:
            with open(files[0], "rb") as cert, open(files[1], "rb") as key:
                credentials = grpc.ssl_server_credentials(((key.read(), cert.read()),))
            port = server.add_secure_port(address, credentials)
        else:
            port = server.add_insecure_port(address)
        await server.start()
        print(f"ready {address.rsplit(':', 1)[0]}:{port}", flush=True)
        await server.wait_for_termination()

    asyncio.run(main())


class Wrong(Exception):
    pass


def equal(seen, expected):
    if seen != expected:
        raise Wrong(f"{seen!r} (expected: {expected!r})")


def connect(address, ca, n=0):
    import grpc
    from grpc import aio

    options = MOST + [("webproxy.n", n), ("grpc.use_local_subchannel_pool", 1)]
    if ca == "-":
        return aio.insecure_channel(address, options=options)
    with open(ca, "rb") as pem:
        return aio.secure_channel(address, grpc.ssl_channel_credentials(pem.read()), options=options)


def watch(address, ca, seconds, pause):
    count, late = int(seconds) // int(pause) + 1, []

    async def main():
        async with connect(address, ca) as channel:
            start = time.time()
            async for _ in channel.unary_stream("/webproxy.Echo/Down")(b"%d %d 10" % (count, int(pause) * 1000)):
                late.append(time.time() - start - int(pause))
                start = time.time()

    asyncio.run(main())
    equal(len(late), count)
    print("watch ok")
    print(count, f"messages, the latest {round(max(late[1:]) * 1000)}ms late", file=sys.stderr)


def check(address, ca, *names):
    import grpc
    from grpc import aio

    async def code_of(call):
        try:
            await call
        except aio.AioRpcError as e:
            return e
        raise Wrong("it didn't fail")

    async def cancelled(c, name, at):
        return int(await c.unary_unary("/webproxy.Echo/Gone")(name.encode(), timeout=10)) - at

    def now():
        return int(time.time() * 1000)

    me = f"python{time.time()}"

    async def unary(c):
        equal(await c.unary_unary("/webproxy.Echo/Unary")(b"hello", timeout=20), b"hello")

    async def metadata(c):
        call = c.unary_unary("/webproxy.Echo/Unary")(b"", timeout=20, metadata=(("x-meta", "a, b"), ("x-meta-bin", b"\x00\xff,")))
        await call
        equal(dict(await call.initial_metadata())["x-head"], "a, b")
        tail = dict(await call.trailing_metadata())
        equal((tail["x-tail-bin"], tail["tail.key_x"]), (b"\x00\xff,", "a, b"))

    async def failure(c):
        e = await code_of(c.unary_unary("/webproxy.Echo/Unary")(b"", timeout=20, metadata=(("x-do", "fail"), ("x-meta-bin", b"\x01"))))
        equal((e.code(), e.details()), (grpc.StatusCode.FAILED_PRECONDITION, "größer: 100 %"))
        equal(dict(e.trailing_metadata())["x-tail-bin"], b"\x01")

    async def trailers_only(c):
        equal((await code_of(c.unary_unary("/webproxy.Echo/None")(b"", timeout=20))).code(), grpc.StatusCode.UNIMPLEMENTED)

    async def up(c):
        async def messages():
            for i in range(1000):
                yield b"x" * i

        equal(await c.stream_unary("/webproxy.Echo/Up")(messages(), timeout=20), b"1000 499500")

    async def down(c):
        equal([len(m) async for m in c.unary_stream("/webproxy.Echo/Down")(b"1000 0 1234", timeout=20)], [1234] * 1000)

    async def paced(c):
        call = c.unary_stream("/webproxy.Echo/Down")(b"3 300 5", timeout=20)
        await call.read()
        start = time.time()
        await call.read()
        await call.read()
        if time.time() - start < 0.5:
            raise Wrong("the first message was held back")
        equal(await call.read(), aio.EOF)

    async def both(c):
        call = c.stream_stream("/webproxy.Echo/Both")(timeout=20)
        for i in range(500):
            await call.write(b"message %d" % i)
            equal(await call.read(), b"message %d" % i)
        await call.done_writing()
        equal(await call.read(), aio.EOF)
        equal(await call.code(), grpc.StatusCode.OK)

    async def large(c):
        data = b"0123456789abcdef" * (1 << 20)
        equal(await c.unary_unary("/webproxy.Echo/Unary")(data, timeout=30) == data, True)

    async def deadline(c):
        start = now()
        e = await code_of(c.unary_unary("/webproxy.Echo/Unary")(b"", timeout=0.3, metadata=(("x-do", "wait"), ("x-id", me + "d"))))
        equal(e.code(), grpc.StatusCode.DEADLINE_EXCEEDED)
        if not 290 <= now() - start <= 700:
            raise Wrong(f"after {now() - start} ms")
        delay = await cancelled(c, me + "d", start + 300)
        if delay > 300:
            raise Wrong(f"the service has seen it {delay} ms later")

    async def deadline_told(c):
        left = int(await c.unary_unary("/webproxy.Echo/Unary")(b"", timeout=5, metadata=(("x-do", "deadline"),)))
        if not 4000 <= left <= 5100:
            raise Wrong(left)

    async def cancel(c):
        delays = []
        for i in range(5):
            call = c.unary_unary("/webproxy.Echo/Unary")(b"", timeout=20, metadata=(("x-do", "wait"), ("x-id", f"{me}{i}")))
            await asyncio.sleep(0.2)
            at = now()
            call.cancel()
            delays.append(await cancelled(c, f"{me}{i}", at))
        if sorted(delays)[2] > 100:
            # one of them may come at a moment at which the machine is busy
            raise Wrong(f"the service has seen it after so many ms: {delays}")

    async def thousand(_):
        channels = [connect(address, ca, n) for n in range(16)]
        calls = [channels[i % 16].stream_stream("/webproxy.Echo/Both")(timeout=60) for i in range(1000)]
        for what in (b"first", b"second"):
            await asyncio.gather(*(call.write(b"%s %d" % (what, i)) for i, call in enumerate(calls)))
            for i, call in enumerate(calls):
                equal(await call.read(), b"%s %d" % (what, i))
        for call in calls:
            await call.done_writing()
            equal(await call.read(), aio.EOF)
        for c in channels:
            await c.close()

    async def main():
        async with connect(address, ca) as c:
            for test in (unary, metadata, failure, trailers_only, up, down, paced, both, large, deadline, deadline_told, cancel, thousand):
                name = test.__name__.replace("_", "-")
                if names and name not in names:
                    continue
                try:
                    await test(c)
                    print(name, "ok", flush=True)
                except Exception as e:
                    print(name, f"{type(e).__name__} {e}".replace("\n", " "), flush=True)

    asyncio.run(main())


def answers(url, ca, *paths):
    import h2.config
    import h2.connection
    import h2.events

    where = urlsplit(url)
    for path in paths:
        sock = socket.create_connection((where.hostname, where.port), timeout=20)
        if where.scheme == "https":
            context = ssl.create_default_context(cafile=ca)
            context.set_alpn_protocols(["h2"])
            sock = context.wrap_socket(sock, server_hostname=where.hostname)
        conn = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        conn.initiate_connection()
        fields = [(":method", "POST"), (":scheme", where.scheme), (":authority", where.netloc), (":path", path), ("te", "trailers"), ("content-type", "application/grpc")]
        conn.send_headers(1, fields)
        conn.send_data(1, b"\0\0\0\0\0", end_stream=True)
        sock.sendall(conn.data_to_send())
        over = False
        while not over:
            data = sock.recv(65536)
            if not data:
                print(path, "the connection was closed")
                break
            for event in conn.receive_data(data):
                if isinstance(event, (h2.events.ResponseReceived, h2.events.TrailersReceived)):
                    print(path, type(event).__name__, dict(event.headers), "END_STREAM" if event.stream_ended else "")
                elif isinstance(event, h2.events.StreamReset):
                    print(path, "reset", event.error_code)
                    over = True
                elif isinstance(event, h2.events.DataReceived):
                    print(path, "DATA", event.data)
                elif isinstance(event, h2.events.StreamEnded):
                    over = True
            sock.sendall(conn.data_to_send())
        sock.close()


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
