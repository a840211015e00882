"""Both ends of connections through one port that many protocols share; standard library only.

    one_port.py echo LOG [FILE]          a target that sends back what comes after a PROXY header, if one comes; prints `ready PORT`, writes the
                                         client that each header names to LOG, and the first ClientHello to FILE
    one_port.py split PORT FILE ANSWER   what is in FILE, split at every offset, and one byte at a time, to that port of 127.0.0.1; ANSWER is
                                         `echo` (the same bytes come back, and the end), or the bytes, in hex, that the answer must start with
    one_port.py websocket URL [CA]       an echo of texts of several sizes
    one_port.py hold SOURCE COUNT PORT   that many connections from that address, which say that they are SSH and no more; prints how many got
                                         a banner, and then waits for the end of its input
"""
import base64
import hashlib
import os
import socket
import ssl
import struct
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def proxied(connection):
    """The client that a PROXY header names, None without one, and the bytes after it."""
    got = b""
    while len(got) < 16 and (SIGNATURE.startswith(got[:12]) or b"PROXY ".startswith(got[:6])):
        piece = connection.recv(65536)
        if not piece:
            return None, got
        got += piece
    if got.startswith(SIGNATURE):
        length = 16 + struct.unpack(">H", got[14:16])[0]
        while len(got) < length:
            got += connection.recv(65536)
        address, port = got[16:20], got[24:26]
        if got[13] >> 4 == 2:
            address, port = got[16:32], got[48:50]
        name = socket.inet_ntop(socket.AF_INET if len(address) == 4 else socket.AF_INET6, address)
        return f"v2 {name} {struct.unpack('>H', port)[0]}", got[length:]
    if got.startswith(b"PROXY "):
        while b"\r\n" not in got:
            got += connection.recv(65536)
        line, _, rest = got.partition(b"\r\n")
        words = line.decode().split()
        return f"v1 {words[2]} {words[4]}", rest
    return None, got


def hello_in(data):
    """The records at the start of the data that hold a whole ClientHello, else None."""
    message, at = b"", 0
    while at + 5 <= len(data) and data[at] == 22:
        end = at + 5 + struct.unpack(">H", data[at + 3:at + 5])[0]
        message += data[at + 5:end]
        at = end
        if len(message) >= 4 and len(message) >= 4 + int.from_bytes(message[1:4], "big") and at <= len(data):
            return data[:at]
    return None


def echo(log, record=None):
    server = socket.create_server(("127.0.0.1", 0), backlog=512)
    lock = threading.Lock()

    def serve(connection):
        with connection:
            connection.settimeout(300)
            try:
                client, got = proxied(connection)
                with lock, open(log, "a", encoding="ascii") as out:
                    out.write(f"{client}\n")
                start = b""
                got = got or connection.recv(65536)
                while got:
                    if record and len(start) < 65536 and not os.path.exists(record):
                        start += got
                        hello = hello_in(start)
                        if hello:
                            with lock, open(record + ".new", "wb") as out:
                                out.write(hello)
                            os.rename(record + ".new", record)
                    connection.sendall(got)
                    got = connection.recv(65536)
                connection.shutdown(socket.SHUT_WR)
            except OSError:
                pass

    print(f"ready {server.getsockname()[1]}", flush=True)
    while True:
        connection, _ = server.accept()
        threading.Thread(target=serve, args=(connection,), daemon=True).start()


def exchange(port, pieces, answer):
    """None, or what was wrong."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces[:-1]:
            connection.sendall(piece)
            # that each piece is read by itself
            time.sleep(0.003 if len(pieces) < 4 else 0.0005)
        connection.sendall(pieces[-1])
        expected = b"".join(pieces) if answer == "echo" else bytes.fromhex(answer)
        if answer == "echo":
            connection.shutdown(socket.SHUT_WR)
        got = b""
        while len(got) < len(expected) or answer == "echo":
            piece = connection.recv(65536)
            if not piece:
                break
            got += piece
        if answer != "echo":
            got = got[:len(expected)]
        return None if got == expected else f"{len(got)} bytes for {len(expected)}: {got[:40]!r}"


def split(port, file, answer):
    with open(file, "rb") as recorded:
        data = recorded.read()
    cases = [[data[:at], data[at:]] for at in range(1, len(data))] + [[data], [data[i:i + 1] for i in range(len(data))]]

    def run(pieces):
        try:
            wrong = exchange(int(port), pieces, answer)
        except OSError as e:
            wrong = repr(e)
        return wrong and f"{len(pieces)} pieces, the first of {len(pieces[0])}: {wrong}"

    with ThreadPoolExecutor(8) as pool:
        wrong = [said for said in pool.map(run, cases) if said]
    for said in wrong[:3]:
        print(said)
    print(f"{len(data)} bytes in {len(cases)} ways, {len(wrong)} wrong")
    return not wrong


def websocket(url, ca=None):
    parts = urlsplit(url)
    connection = socket.create_connection((parts.hostname, parts.port), timeout=20)
    if parts.scheme == "wss":
        connection = ssl.create_default_context(cafile=ca).wrap_socket(connection, server_hostname=parts.hostname)
    key = base64.b64encode(os.urandom(16)).decode()
    connection.sendall((f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n").encode())
    stream = connection.makefile("rb")
    head = []
    while (line := stream.readline().strip()):
        head.append(line.decode().lower())
    accept = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()
    if not head or " 101 " not in head[0] or f"sec-websocket-accept: {accept.lower()}" not in head:
        print(f"no WebSocket: {head[:1]}")
        return False

    def frame(opcode, payload):
        length = len(payload)
        start = bytes([0x80 | opcode, 0x80 | length]) if length < 126 else bytes([0x80 | opcode, 0x80 | 126]) + struct.pack(">H", length)
        return start + b"\0\0\0\0" + payload

    for size in (1, 125, 126, 60000):
        text = os.urandom(size).hex()[:size].encode()
        connection.sendall(frame(1, text))
        got = b""
        while len(got) < size:
            first, length = stream.read(2)
            if length == 126:
                length = struct.unpack(">H", stream.read(2))[0]
            elif length == 127:
                length = struct.unpack(">Q", stream.read(8))[0]
            payload = stream.read(length)
            if first & 15 in (0, 1):
                got += payload
        if got != text:
            print(f"an echo of {size} bytes differs")
            return False
    connection.sendall(frame(8, struct.pack(">H", 1000)))
    print("4 echoes, up to 60000 bytes")
    return True


def hold(source, count, port):
    open_ones = []
    for _ in range(int(count)):
        try:
            connection = socket.create_connection(("127.0.0.1", int(port)), timeout=5, source_address=(source, 0))
            connection.sendall(b"SSH-2.0-hold\r\n")
            if connection.recv(4) == b"SSH-":
                open_ones.append(connection)
        except OSError:
            pass
    print(len(open_ones), flush=True)
    sys.stdin.read()
    return True


if __name__ == "__main__":
    result = {"echo": echo, "split": split, "websocket": websocket, "hold": hold}[sys.argv[1]](*sys.argv[2:])
    sys.exit(0 if result else 1)
