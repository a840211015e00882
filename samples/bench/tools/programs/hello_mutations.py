"""Sends every chosen single-byte change of ClientHellos to two ports, and compares which target answers.

usage: hello_mutations.py targets NAME...                 prints "NAME=PORT ..." of targets that say their names, and serves until it is stopped
       hello_mutations.py compare PORT REFERENCE FILE...  which answers differ; env VALUES: "few" (each bit, edges) or "all"
"""
import asyncio
import collections
import os
import sys

WAIT = 20
PATIENCE = 2
ABREAST = 64


async def targets(names):
    def says(name):
        async def serve(reader, writer):
            writer.write(name.encode())
            try:
                await writer.drain()
                await reader.read()
                writer.close()
            except OSError:
                pass

        return serve

    ports = []
    for name in names:
        server = await asyncio.start_server(says(name), "127.0.0.1", 0)
        ports.append(f"{name}={server.sockets[0].getsockname()[1]}")
    print(" ".join(ports), flush=True)
    await asyncio.Event().wait()


async def ask(port, hello):
    """The name that the target says; "refused" for an alert or an end without a word."""
    try:
        reader, writer = await asyncio.wait_for(asyncio.open_connection("127.0.0.1", port), WAIT)
        try:
            writer.write(hello)
            try:
                said = await asyncio.wait_for(reader.read(100), PATIENCE)
            except asyncio.TimeoutError:  # more is waited for; nginx doesn't look at what came with an end
                writer.write_eof()
                said = await asyncio.wait_for(reader.read(100), WAIT)
        finally:
            writer.transport.abort()
    except asyncio.TimeoutError:
        return "HANGS"
    except OSError:
        return "refused"
    return "refused" if not said or said[0] == 21 else said.decode()


def values(byte):
    if os.environ.get("VALUES", "few") == "all":
        return range(256)
    return sorted({0, 1, 2, 0x2E, 127, 128, 255, (byte + 1) % 256, (byte - 1) % 256} | {byte ^ 1 << bit for bit in range(8)})


async def compare(port, reference, files):
    bad = 0
    for file in files:
        with open(file, "rb") as f:
            hello = f.read()
        pairs = collections.Counter()
        examples = {}
        turns = asyncio.Semaphore(ABREAST)

        async def one(at, value):
            changed = hello[:at] + bytes([value]) + hello[at + 1:]
            async with turns:
                pair = tuple(await asyncio.gather(ask(port, changed), ask(reference, changed)))
            pairs[pair] += 1
            examples.setdefault(pair, f"byte {at} set to {value}")

        await asyncio.gather(*(one(at, value) for at in range(len(hello)) for value in values(hello[at])))
        for (ours, theirs), count in sorted(pairs.items()):
            # what is no hello for one may have no name for the other; but two names, or a name and none, may not be told from the same bytes
            wrong = "HANGS" in (ours, theirs) or (ours != theirs and "refused" not in (ours, theirs))
            bad += wrong
            same = "the same" if ours == theirs else "WRONG" if wrong else "differs"
            print(f"{os.path.basename(file)}: {count} {same}: {ours}, nginx {theirs}" + ("" if ours == theirs else f", such as {examples[ours, theirs]}"))
        if sum(count for (ours, theirs), count in pairs.items() if ours == theirs and ours != "refused") < len(hello):
            print(f"{os.path.basename(file)}: hardly any answer was the same: nothing was measured")
            bad += 1
    return bad


if __name__ == "__main__":
    if sys.argv[1] == "targets":
        asyncio.run(targets(sys.argv[2:]))
    else:
        sys.exit(1 if asyncio.run(compare(int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:])) else 0)
