"""Both ends of raw connections through a tunnel; standard library only.

    tunnel.py half-close PORT NAME TARGET    each side ends its direction first, once, while the other goes on
    tunnel.py both-ways PORT NAME TARGET MB  that many MB in each direction at the same time; sums must be equal
    tunnel.py silent PORT NAME TARGET QUIET LIFE   a connection that lives that many seconds, and is silent for so many of them
    tunnel.py hello NAME                     writes a ClientHello for that name to standard output

PORT is the public side's, NAME the server name that is announced, - for a port that relays whatever comes. TARGET is the port that the private side dials;
this program listens on it, and knows each client by 16 random bytes.
"""
import hashlib
import os
import socket
import ssl
import sys
import threading
import time

HOST = "127.0.0.1"
PIECE = 1 << 16


def hello(name):
    """What a client sends first."""
    out = ssl.MemoryBIO()
    context = ssl.create_default_context()
    try:
        context.wrap_bio(ssl.MemoryBIO(), out, server_hostname=name).do_handshake()
    except ssl.SSLWantReadError:
        pass
    return out.read()


def exactly(connection, count):
    got = b""
    while len(got) < count:
        piece = connection.recv(count - len(got))
        if not piece:
            raise EOFError(f"{len(got)} bytes of {count}")
        got += piece
    return got


def rest(connection):
    total, digest = 0, hashlib.sha256()
    while piece := connection.recv(PIECE):
        total += len(piece)
        digest.update(piece)
    return total, digest.hexdigest()


class Pair:
    """A client, and the target's end of its connection."""

    def __init__(self, port, name, server):
        self.client = socket.create_connection((HOST, int(port)), timeout=60)
        first = (b"" if name == "-" else hello(name)) + os.urandom(16)
        self.client.sendall(first)
        self.target, _ = server.accept()
        self.target.settimeout(60)
        if exactly(self.target, len(first)) != first:
            raise ValueError("the target has got something else than what was sent first")
        self.target.sendall(b"there")
        exactly(self.client, 5)

    def close(self):
        self.client.close()
        self.target.close()


def half_close(port, name, server):
    data = os.urandom(1_500_000)
    expected = len(data), hashlib.sha256(data).hexdigest()
    for label, first, second in (("the client", "client", "target"), ("the target", "target", "client")):
        pair = Pair(port, name, server)
        one, other = getattr(pair, first), getattr(pair, second)
        one.sendall(b"the last words")
        one.shutdown(socket.SHUT_WR)
        if rest(other)[0] != 14:
            raise ValueError(f"{label} ended, and the other side read something else")
        time.sleep(0.2)
        sender = threading.Thread(target=lambda: (other.sendall(data), other.shutdown(socket.SHUT_WR)))
        sender.start()
        if (got := rest(one)) != expected:
            raise ValueError(f"{label} ended, and got {got[0]} bytes of {expected[0]}")
        sender.join()
        pair.close()
    print("1500000 bytes came after the end of the other direction, both ways")


def both_ways(port, name, server, megabytes):
    pair = Pair(port, name, server)
    count = int(megabytes)
    block = os.urandom(1 << 20)
    sums = {}

    def send(connection, key):
        digest = hashlib.sha256()
        for number in range(count):
            piece = block[:-8] + (2 * number + (key == "up")).to_bytes(8, "big")
            digest.update(piece)
            connection.sendall(piece)
        connection.shutdown(socket.SHUT_WR)
        sums[key, "sent"] = count << 20, digest.hexdigest()

    def receive(connection, key):
        sums[key, "got"] = rest(connection)

    start = time.monotonic()
    threads = [threading.Thread(target=run, args=args) for run, args in (
        (send, (pair.client, "up")), (receive, (pair.target, "up")), (send, (pair.target, "down")), (receive, (pair.client, "down")))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for key in ("up", "down"):
        if (key, "got") not in sums or sums.get((key, "sent")) != sums[key, "got"]:
            raise ValueError(f"{key}: {sums.get((key, 'got'))} for {sums.get((key, 'sent'))}")
    pair.close()
    print(f"{count} MiB in each direction in {time.monotonic() - start:.1f} s, sums equal")


def silent(port, name, server, quiet, life):
    pair = Pair(port, name, server)
    pair.client.settimeout(float(life))
    start = time.monotonic()
    quiet, life = float(quiet), float(life)
    rounds = 0

    def talk():
        for one, other in ((pair.client, pair.target), (pair.target, pair.client)):
            one.sendall(b"a word")
            exactly(other, 6)

    while time.monotonic() - start < (life - quiet) / 2:
        talk()
        rounds += 1
        time.sleep(1)
    time.sleep(quiet)
    talk()
    while time.monotonic() - start < life:
        talk()
        rounds += 1
        time.sleep(1)
    pair.client.shutdown(socket.SHUT_WR)
    rest(pair.target)
    pair.close()
    print(f"it lived {time.monotonic() - start:.0f} s, was silent for {quiet:.0f} of them, and then went on")


def main():
    if sys.argv[1] == "hello":
        sys.stdout.buffer.write(hello(sys.argv[2]))
        return
    run = {"half-close": half_close, "both-ways": both_ways, "silent": silent}[sys.argv[1]]
    port, name, target = sys.argv[2:5]
    with socket.create_server((HOST, int(target)), backlog=64) as server:
        server.settimeout(60)
        try:
            run(port, name, server, *sys.argv[5:])
        except (OSError, EOFError, ValueError) as e:
            print(repr(e))
            sys.exit(1)


if __name__ == "__main__":
    main()
