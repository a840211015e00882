"""The proxy's HPACK beside the package hpack: the same blocks to both decoders, and the blocks of each encoder to the other's decoder.

usage: hpack_fuzz.py SECONDS SEED COMMAND...    the command speaks as HpackPeer.java says

Differences that are allowed, and counted:
- integers of more than five bytes after the prefix, or above 2^28: the proxy refuses them (RFC 7541 section 5.1 lets it), the package takes them.
- CR and LF in names: the proxy's names can't hold them; they become spaces, which makes the request malformed as well.
- the proxy's encoder writes names in lower case, and CR, LF and NUL in values as spaces, what isn't in ISO-8859-1 as question marks.
"""
import random
import struct
import subprocess
import sys
import time

import hpack
import hpack.hpack
from hpack.struct import NeverIndexedHeaderTuple

TABLE = 4096
SECRET = {b"authorization", b"cookie", b"proxy-authorization", b"set-cookie"}
NAMES = [b":method", b":path", b":authority", b":status", b"content-type", b"cache-control", b"x-own", b"vary", b"date", b"cookie", b"set-cookie", b"a", b"",
         b"x-forwarded-for", b"grpc-status", b"authorization", b"x-" + b"n" * 60]
VALUES = [b"GET", b"/", b"200", b"text/html; charset=utf-8", b"no-cache", b"", b"b", b"gzip, deflate", b"v" * 700, b"v" * 5000, b"max-age=3600"]

overlong = False
original = hpack.hpack.decode_integer
hpack.hpack.VARINT_MAX_LENGTH = 1 << 20  # only our own limit counts


def decode_integer(data, prefix):
    global overlong
    mask = (1 << prefix) - 1
    if data and data[0] & mask == mask:
        more = next((i for i in range(1, len(data)) if data[i] < 128), len(data) - 1)
        overlong |= more > 5
    number, consumed = original(data, prefix)
    overlong |= number > 1 << 28
    return number, consumed


hpack.hpack.decode_integer = decode_integer


class Peer:
    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def say(self, what, payload=b""):
        self.process.stdin.write(what + struct.pack(">I", len(payload)) + payload)

    def read(self, count):
        data = self.process.stdout.read(count)
        if len(data) != count:
            raise SystemExit("hpack_fuzz: the peer ended")
        return data

    def decode(self, block):
        """The fields, None if the block is refused."""
        self.say(b"D", block)
        self.process.stdin.flush()
        valid, count, length = struct.unpack(">BII", self.read(9))
        data, at, fields = self.read(length), 0, []
        for _ in range(count):
            name, value = struct.unpack_from(">II", data, at)
            at += 8 + name + value
            fields.append((data[at - name - value:at - value], data[at - value:at]))
        return fields if valid else None

    def encode(self, fields):
        self.say(b"E", b"".join(struct.pack(">II", len(n), len(v)) + n + v for n, v in fields))
        self.process.stdin.flush()
        return self.read(struct.unpack(">I", self.read(4))[0])


def reference(decoder, block):
    global overlong
    overlong = False
    try:
        fields = decoder.decode(block, raw=True)
    except hpack.HPACKError:
        return None
    return [(bytes(n).replace(b"\r", b" ").replace(b"\n", b" "), bytes(v)) for n, v in fields]


def integer(r, first, prefix, number):
    mask = (1 << prefix) - 1
    if number < mask:
        return bytes([first | number])
    out, number = bytearray([first | mask]), number - mask
    while number >= 128:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    for _ in range(r.choice([0] * 20 + [1, 2, 4])):  # zeros at the end change nothing
        out[-1] |= 128
        out.append(0)
    return bytes(out)


CODER = hpack.huffman.HuffmanEncoder(hpack.hpack.REQUEST_CODES, hpack.hpack.REQUEST_CODES_LENGTH)


def text(r, pool):
    if r.random() < 0.6:
        return r.choice(pool)
    return bytes(r.randrange(256) if r.random() < 0.2 else r.randrange(32, 127) for _ in range(r.choice([0, 1, 2, 5, 20, 60, r.randrange(600)])))


def string(r, pool):
    plain = text(r, pool)
    kind = r.random()
    if kind < 0.4:
        return integer(r, 0, 7, len(plain)) + plain
    if kind < 0.9:
        code = bytearray(CODER.encode(plain))
        if code and r.random() < 0.01:  # other padding, or another code
            code[-1] ^= 1 << r.randrange(8)
        if r.random() < 0.01:
            code += b"\xff" * r.randrange(5)
        return integer(r, 128, 7, len(code)) + bytes(code)
    code = bytes(r.randrange(256) for _ in range(r.randrange(9))) if r.random() < 0.1 else bytes(CODER.encode(plain))
    return integer(r, 128, 7, len(code)) + code


def index(r, entries):
    return r.choice([r.randrange(1, 62), r.randrange(62, 63 + entries) if entries else 4, 62 + r.randrange(max(1, entries)) if entries else 2,
                     r.randrange(300) if r.random() < 0.02 else 2])


def updates(block):
    """The table size updates at the start of a block."""
    found, at = [], 0
    while at < len(block) and block[at] & 0xe0 == 0x20:
        number, consumed = original(block[at:], 5)
        found.append(number)
        at += consumed
    return found


def composed(r, entries):
    """A block of any representations, mostly valid."""
    out = b""
    if r.random() < 0.1:
        for _ in range(r.choice([1, 2, 3])):
            out += integer(r, 32, 5, r.choice([0, 50, 100, 1000, TABLE, r.randrange(TABLE + 1), TABLE + (r.random() < 0.05)]))
    for _ in range(r.randrange(12)):
        kind = r.random()
        if kind < 0.4:
            out += integer(r, 128, 7, index(r, entries))
        elif kind < 0.995:
            first, prefix = r.choice([(64, 6), (64, 6), (0, 4), (16, 4)])
            out += integer(r, first, prefix, index(r, entries)) if r.random() < 0.5 else bytes([first]) + string(r, NAMES)
            out += string(r, VALUES)
        else:
            out += integer(r, 32, 5, r.randrange(TABLE))
    return out


def changed(r, block):
    block = bytearray(block)
    for _ in range(r.choice([1, 1, 1, 2, 5])):
        if not block:
            break
        at, kind = r.randrange(len(block)), r.randrange(5)
        if kind == 0:
            block[at] = r.randrange(256)
        elif kind == 1:
            block[at] ^= 1 << r.randrange(8)
        elif kind == 2:
            del block[at:at + r.choice([1, 1, 2, 8])]
        elif kind == 3:
            block[at:at] = bytes(r.choice([0, 0x20, 0x40, 0x80, 0xff, r.randrange(256)]) for _ in range(r.choice([1, 1, 2, 6])))
        else:
            del block[at:]
    return bytes(block)


class Fuzz:
    def __init__(self, command):
        self.peer = Peer(command)
        self.counts = {}

    def count(self, what):
        self.counts[what] = self.counts.get(what, 0) + 1

    def both(self, decoder, block, kind):
        """Both decoders; whether the connection goes on."""
        ours, theirs = self.peer.decode(block), reference(decoder, block)
        self.count(kind + (" refused" if theirs is None else " valid"))
        if ours != theirs:
            if overlong and ours is None:
                self.count("allowed: integer above our limits")
                return False
            raise AssertionError(f"{kind} {block.hex()}\n  ours   {ours}\n  theirs {theirs}")
        return ours is not None

    def decoding(self, r):
        self.peer.say(b"N")
        decoder, encoder = hpack.Decoder(max_header_list_size=1 << 40), hpack.Encoder()
        mode = r.choice(["encoded", "composed", "composed", "mutated", "mutated", "random"])
        for _ in range(r.randrange(1, 12)):
            entries = len(decoder.header_table.dynamic_entries)
            if mode == "random":
                block = bytes(r.randrange(256) for _ in range(r.choice([1, 2, 5, 20, 100])))
            elif mode == "encoded" or (mode == "mutated" and r.random() < 0.5):
                if r.random() < 0.2:
                    encoder.header_table_size = r.choice([0, 100, 1000, TABLE])
                fields = [(text(r, NAMES), text(r, VALUES), r.random() < 0.1) for _ in range(r.randrange(15))]
                block = encoder.encode(fields, huffman=r.random() < 0.7)
            else:
                block = composed(r, entries)
            if mode == "mutated" and r.random() < 0.4:
                block = changed(r, block)
            if not self.both(decoder, block, mode):
                return
        entries = len(decoder.header_table.dynamic_entries)  # the tables are the same, and end at the same place
        assert self.both(decoder, b"".join(integer(r, 128, 7, 62 + i) for i in range(entries)), "table")
        assert not self.both(decoder, integer(r, 128, 7, 62 + entries), "beyond the table")

    def encoding(self, r):
        self.peer.say(b"N")
        decoder = hpack.Decoder(max_header_list_size=1 << 40)
        values = [text(r, VALUES).decode("latin-1") for _ in range(10)] + ["a\r\nb: c\0d", "\u20ac\u00e9", "\u20ac" * 70]
        size = TABLE
        for _ in range(r.randrange(1, 20)):
            least = last = size
            for _ in range(r.randrange(4) if r.random() < 0.2 else 0):
                limit = r.choice([0, 60, 500, TABLE, 65536, r.randrange(TABLE)])
                self.peer.say(b"L", str(limit).encode())
                decoder.max_allowed_table_size = limit
                last = min(limit, TABLE)
                least = min(least, last)
            fields = [(r.choice(NAMES + [b"Content-Type", b"SET-COOKIE", b"X-Own", b"\xc9\x80"]), r.choice(values)) for _ in range(r.randrange(15))]
            block = self.peer.encode([(n, v.encode()) for n, v in fields])
            told = [least] * (least < size) + [last] * (last != least)  # RFC 7541 section 4.2
            assert updates(block) == told, f"encoder: {updates(block)} instead of {told}"
            size = last
            expected = [(n.lower(), v.translate({13: 32, 10: 32, 0: 32}).encode("latin-1", "replace")) for n, v in fields]
            try:
                decoded = decoder.decode(block, raw=True)
            except hpack.HPACKError as e:
                raise AssertionError(f"encoder: {e}: {block.hex()} for {expected}") from e
            self.count("ours, decoded by theirs")
            if [tuple(f) for f in decoded] != expected:
                raise AssertionError(f"encoder: {block.hex()}\n  expected {expected}\n  decoded  {decoded}")
            for f in decoded:
                assert isinstance(f, NeverIndexedHeaderTuple) == (f[0] in SECRET), f"indexed: {f}"


def main():
    seconds, seed = int(sys.argv[1]), int(sys.argv[2])
    fuzz = Fuzz(sys.argv[3:])
    end, rounds, failed = time.monotonic() + seconds, 0, False
    while time.monotonic() < end and not failed:
        r = random.Random(seed + rounds)
        try:
            (fuzz.decoding if rounds % 3 else fuzz.encoding)(r)
        except AssertionError as e:
            print(f"DIFFERENT, seed {seed + rounds}, round kind {rounds % 3}: {e}")
            failed = True
        rounds += 1
    fuzz.peer.process.stdin.close()
    fuzz.peer.process.wait(10)
    print(f"{rounds} connections, seeds {seed} to {seed + rounds - 1}, {'a difference' if failed else 'no difference'}; blocks:")
    for what, count in sorted(fuzz.counts.items()):
        print(f"  {what}: {count}")
    sys.exit(failed)


main()
