"""An agent that was written from the protocol's description, and misbehaves; standard library only.

    tunnel_agent.py CASE PORT KEYS AGENTS

CASE is one of redeem, guessed, expired, other-agent, silent-agent, announcements, frames, mute, or words COUNT. PORT is the public side's, KEYS the directory with the keys of
alice and mallory, AGENTS the agents file: alice may announce names below a.internal-server.local, and mallory those below m.internal-server.local.
"""
import hashlib
import hmac
import os
import select
import socket
import ssl
import struct
import sys
import threading
import time

import tunnel

HOST = "127.0.0.1"
HELLO, WELCOME, ANNOUNCE, RESULT, WITHDRAW, CONNECT, READY, USE, REFUSE, DROP, PING, PONG, GOODBYE = range(1, 14)
LABEL = b"webproxy-tunnel/1 data"
MARK = b"\xe5wpt1"
ACKNOWLEDGED = b"\x06"
DOMAIN = "internal-server.local"


def text(value):
    raw = value if isinstance(value, bytes) else value.encode()
    return struct.pack(">H", len(raw)) + raw


def named(name):
    return b"\0" + text(name)


def frame(kind, body=b""):
    return struct.pack(">IB", len(body) + 1, kind) + body


class Agent:
    def __init__(self, port, keys, agents, name, greet=True):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.set_alpn_protocols(["webproxy-tunnel/1"])
        context.load_cert_chain(f"{keys}/{name}.crt", f"{keys}/{name}.key")
        self.port, self.instance, self.got = port, os.urandom(16), b""
        with open(agents, encoding="ascii") as lines:
            self.fingerprint = next(line.split()[1] for line in lines if line.startswith(name + " "))
        self.tls = context.wrap_socket(socket.create_connection((HOST, port), timeout=20))
        if greet:
            self.send(HELLO, self.hello())
            self.until(WELCOME)

    def hello(self):
        return b"wptn\x01" + bytes(8) + self.instance + text("by hand")

    def send(self, kind, body=b""):
        self.tls.sendall(frame(kind, body))

    def next(self, timeout=20):
        """A frame's type and body, None at the end."""
        self.tls.settimeout(timeout)
        while len(self.got) < 4 or len(self.got) < 4 + struct.unpack(">I", self.got[:4])[0]:
            try:
                piece = self.tls.recv(65536)
            except (ConnectionError, ssl.SSLError):
                piece = b""
            if not piece:
                return None
            self.got += piece
        length = struct.unpack(">I", self.got[:4])[0]
        whole, self.got = self.got[4:4 + length], self.got[4 + length:]
        if whole[0] == PING:
            self.send(PONG, whole[1:])
            return self.next(timeout)
        return whole[0], whole[1:]

    def until(self, kind, timeout=20):
        while (found := self.next(timeout)) and found[0] != kind:
            if found[0] == GOODBYE:
                raise ValueError(f"goodbye: {found[1][4:].decode()}")
        if not found:
            raise EOFError(f"the channel ended before a message of type {kind}")
        return found[1]

    def announce(self, name, seconds=0, item=None):
        self.send(ANNOUNCE, struct.pack(">IH", 7, 1) + (item or named(name)) + struct.pack(">I", seconds))
        return struct.unpack(">H", self.until(RESULT)[6:8])[0]

    def asked(self):
        """The id and token of the next visitor without a ready connection."""
        body = self.until(CONNECT)
        return body[:8], body[8:40]

    def data(self, number, token, fingerprint=None, instance=None):
        message = LABEL + number + (instance or self.instance) + (fingerprint or self.fingerprint).encode()
        return MARK + number + hmac.new(token, message, hashlib.sha256).digest()

    def closes(self, within):
        """Seconds until the channel ends, and what was said last."""
        start, said = time.monotonic(), ""
        try:
            while found := self.next(within):
                said = found[1][4:].decode() if found[0] == GOODBYE else said
        except (TimeoutError, socket.timeout):
            return None, said
        return time.monotonic() - start, said


def visitor(port, name):
    connection = socket.create_connection((HOST, port), timeout=20)
    connection.sendall(tunnel.hello(name))
    return connection


def answer(connection, timeout=20):
    """What comes first, empty at the end."""
    connection.settimeout(timeout)
    try:
        return connection.recv(65536)
    except ConnectionError:
        return b""


def dial(port, data):
    connection = socket.create_connection((HOST, port), timeout=20)
    connection.sendall(data)
    return connection


def is_refused(port, data):
    with dial(port, data) as connection:
        return answer(connection, 8) == b""


def serves(port, hello, name, client):
    """Whether a data connection brings the visitor's bytes, and back."""
    with dial(port, hello + ACKNOWLEDGED) as data:
        got = answer(data)
        data.sendall(b"served")
        return got[:1] == b"\x16" and answer(client) == b"served"


def require(condition, what):
    if not condition:
        raise ValueError(what)


def redeem(port, one, other):
    name = f"x.a.{DOMAIN}"
    require(one.announce(name) == 200, "the name isn't accepted")
    client = visitor(port, name)
    hello = one.data(*one.asked()) + ACKNOWLEDGED
    sockets = [socket.create_connection((HOST, port), timeout=20) for _ in range(1000)]
    gate = threading.Barrier(10)

    def race(part):
        gate.wait()
        for connection in part:
            connection.sendall(hello)

    threads = [threading.Thread(target=race, args=(sockets[i::10],)) for i in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winners = [connection for connection in sockets if answer(connection, 10)]
    require(len(winners) == 1, f"{len(winners)} of 1000 won")
    winners[0].sendall(b"served")
    require(answer(client) == b"served", "the visitor wasn't served by the winner")
    require(all(is_refused(port, hello) for _ in range(20)), "a token that was used was good again")
    for connection in sockets:
        connection.close()
    print("1000 at once: 1 won; 20 replays refused")


def guessed(port, one, other):
    name = f"y.a.{DOMAIN}"
    one.announce(name)
    client = visitor(port, name)
    number, token = one.asked()
    right = one.data(number, token)
    require(all(is_refused(port, right[:13] + os.urandom(32)) for _ in range(300)), "a guess was right")
    require(all(is_refused(port, MARK + os.urandom(40)) for _ in range(300)), "a guess was right")
    require(is_refused(port, right[:-1] + bytes([right[-1] ^ 1])), "a proof with another bit was right")
    require(serves(port, right, name, client), "the right one failed after so many guesses")
    print("601 guesses refused, and the right one served")


def expired(port, one, other):
    name = f"z.a.{DOMAIN}"
    one.announce(name)
    client = visitor(port, name)
    start = time.monotonic()
    number, token = one.asked()
    alert = answer(client)
    waited = time.monotonic() - start
    require(alert[:1] == b"\x15" and alert[6] == 80 and 9 < waited < 12, f"{alert.hex()} after {waited:.1f} s")
    time.sleep(max(0.0, 10.3 - (time.monotonic() - start)))
    require(is_refused(port, one.data(number, token)), "a token was good after 10 s")
    print(f"internal_error after {waited:.1f} s; the token was refused after that")


def other_agent(port, one, other):
    name = f"w.a.{DOMAIN}"
    one.announce(name)
    client = visitor(port, name)
    number, token = one.asked()
    require(is_refused(port, one.data(number, token, fingerprint=other.fingerprint, instance=other.instance)), "another agent's proof was good")
    require(is_refused(port, one.data(number, token, instance=other.instance)), "another instance's proof was good")
    # a message about it on another agent's channel changes nothing
    other.send(REFUSE, number + text("no"))
    other.send(DROP, number)
    time.sleep(0.3)
    require(serves(port, one.data(number, token), name, client), "the right agent wasn't let in after the others")
    print("refused for another agent and another instance; the right one served")


def silent_agent(port, one, other):
    """It takes its visitors, and never says that it has reached its target; or something else."""
    name = f"v.a.{DOMAIN}"
    one.announce(name)
    client = visitor(port, name)
    start = time.monotonic()
    data = dial(port, one.data(*one.asked()))
    alert = answer(client)
    waited = time.monotonic() - start
    require(alert[:1] == b"\x15" and alert[6] == 80 and waited < 12, f"{alert.hex()} after {waited:.1f} s")
    data.close()
    client = visitor(port, name)
    wrong = dial(port, one.data(*one.asked()) + b"x")
    require(answer(wrong) == b"", "another byte than an acknowledgement was taken")
    client.close()
    print(f"internal_error after {waited:.1f} s; another byte than the acknowledgement is refused")


def announcements(port, one, other):
    mine = f"q.a.{DOMAIN}"
    seconds = 7 * 86400
    table = [
        (mine, 0, 200), (mine.upper(), 0, 200), (mine + ".", 0, 200), (f"*.a.{DOMAIN}", 0, 200), (mine, seconds, 200), (mine, seconds + 1, 400),
        (mine, 0xFFFFFFFF, 400), (mine, 0x80000000, 400), (f"x.m.{DOMAIN}", 0, 403), (DOMAIN, 0, 403), ("other.example.com", 0, 403), (f"*.{DOMAIN}", 0, 403),
        ("*", 0, 400), ("*.local", 0, 400), ("", 0, 400), (".", 0, 400), ("a..b", 0, 400), (f"q .a.{DOMAIN}", 0, 400), (f"*.*.a.{DOMAIN}", 0, 400),
        (f"a*.a.{DOMAIN}", 0, 400), ("x" * 300, 0, (400, 403)), (f"{'x' * 64}.a.{DOMAIN}", 0, 400), ("\u00fc.a.internal-server.local", 0, (200, 400, 403)), ("127.0.0.1", 0, (400, 403))]
    wrong = []
    for name, until, code in table:
        got = one.announce(name, until)
        if got != code and not (isinstance(code, tuple) and got in code):
            wrong.append(f"{name[:40]!r} for {until} s: {got} (expected: {code})")
    for wanted, code in ((0, 400), (22, 403), (65535, 403)):
        got = one.announce("", item=b"\1" + struct.pack(">H", wanted))
        if got != code:
            wrong.append(f"port {wanted}: {got} (expected: {code})")
    got = other.announce(mine)
    if got != 403:
        wrong.append(f"another agent's name: {got} (expected: 403)")
    print("; ".join(wrong) or f"{len(table) + 4} announcements answered as they should be")
    return not wrong


def frames(port, one, other):
    bad = [b"\xff\xff\xff\xff", b"\x80\0\0\0", b"\0\0\0\0", b"\x7f\xff\xff\xff\x01", struct.pack(">I", 16385) + b"\x01", frame(0), frame(14), frame(127), frame(WELCOME),
           frame(CONNECT, bytes(60)), frame(ANNOUNCE), frame(ANNOUNCE, struct.pack(">IH", 1, 0xFFFF)), frame(ANNOUNCE, struct.pack(">IH", 1, 1) + b"\2"),
           frame(ANNOUNCE, struct.pack(">IH", 1, 1) + b"\0\xff\xff"), frame(ANNOUNCE, struct.pack(">IH", 1, 1) + b"\0" + text(b"\xff\xfe") + bytes(4)),
           frame(ANNOUNCE, struct.pack(">IH", 1, 1) + b"\0" + text(b"a\nb") + bytes(4)), frame(PING, bytes(7)), frame(PING, bytes(9)), frame(REFUSE, bytes(8)),
           frame(WITHDRAW, b"\xff\xff"), frame(HELLO, b"wptn\x01" + bytes(24) + text("again")), os.urandom(20000)]
    wrong = []
    for number, piece in enumerate(bad):
        agent = Agent(port, *KEYS, "mallory")
        try:
            agent.tls.sendall(piece)
        except OSError:
            pass
        after, said = agent.closes(5)
        if after is None:
            wrong.append(f"{number}: {piece[:24].hex()} didn't end the channel")
    hellos = [b"wptn\0" + bytes(24) + text("v0"), b"xxxx\1" + bytes(24) + text("magic"), b"wptn\1" + bytes(24) + b"\xff\xff", b""]
    for hello in hellos:
        agent = Agent(port, *KEYS, "mallory", greet=False)
        agent.send(HELLO, hello)
        if agent.closes(5)[0] is None:
            wrong.append(f"hello {hello[:12].hex()} didn't end the channel")
    agent = Agent(port, *KEYS, "mallory")
    for kind in (128, 200, 255):
        agent.send(kind, os.urandom(100))
    agent.tls.sendall(frame(128, bytes(16383)))
    for piece in frame(PING, bytes(8)):
        agent.tls.sendall(bytes([piece]))
    agent.until(PONG, 5)
    print("; ".join(wrong) or f"{len(bad) + len(hellos)} bad ones ended their channel, unknown types from 128 on were skipped")
    return not wrong


def mute(port, one, other):
    """Control channels that say nothing: none at all, only TLS, and one byte of the hello each second."""
    wrong = []
    start = time.monotonic()
    plain = socket.create_connection((HOST, port), timeout=20)
    tls = [Agent(port, *KEYS, "mallory", greet=False) for _ in range(20)]
    slow = Agent(port, *KEYS, "mallory", greet=False)

    def trickle():
        for byte in frame(HELLO, slow.hello()):
            try:
                slow.tls.sendall(bytes([byte]))
            except OSError:
                return
            time.sleep(1)

    threading.Thread(target=trickle, daemon=True).start()
    ends = []
    if answer(plain, 14) != b"":
        wrong.append("a connection without a byte isn't closed")
    ends.append(time.monotonic() - start)
    for agent in [*tls, slow]:
        if agent.closes(14)[0] is None:
            wrong.append("a channel without a word isn't closed")
        ends.append(time.monotonic() - start)
    if max(ends) > 14:
        wrong.append(f"the last one was closed after {max(ends):.1f} s")
    print("; ".join(wrong) or f"without a byte: closed after {ends[0]:.1f} s; without a hello: {ends[1]:.1f} s; with a slow one: {ends[-1]:.1f} s")
    return not wrong


def words(port, one, other, count):
    """Connections without a word, at once: all are closed after the time that the first bytes have."""
    count = int(count)
    poll = select.poll()
    sockets = {}
    start = time.monotonic()
    for i in range(count):
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        connection.bind((f"127.30.0.{1 + i % 8}", 0))
        connection.connect((HOST, port))
        sockets[connection.fileno()] = connection
        poll.register(connection, select.POLLIN)
    opened = time.monotonic() - start
    last = 0.0
    while sockets and time.monotonic() - start < opened + 30:
        for descriptor, _ in poll.poll(1000):
            connection = sockets.pop(descriptor)
            poll.unregister(descriptor)
            last = time.monotonic() - start
            connection.close()
    print(f"{count} opened within {opened:.1f} s, {len(sockets)} left, the last one closed after {last:.1f} s")
    return not sockets and last < opened + 12


KEYS = ()


def main():
    global KEYS
    case, port = sys.argv[1], int(sys.argv[2])
    KEYS = sys.argv[3], sys.argv[4]
    run = {"redeem": redeem, "guessed": guessed, "expired": expired, "other-agent": other_agent, "silent-agent": silent_agent,
           "announcements": announcements, "frames": frames, "mute": mute, "words": words}[case]
    try:
        result = run(port, Agent(port, *KEYS, "alice"), Agent(port, *KEYS, "mallory"), *sys.argv[5:])
    except (OSError, EOFError, ValueError) as e:
        print(repr(e))
        result = False
    sys.exit(0 if result in (None, True) else 1)


if __name__ == "__main__":
    main()
