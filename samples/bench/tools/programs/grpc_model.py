"""What the stand-ins for model servers have in common."""

from concurrent import futures

import grpc


def serve(address, add):
    """Serves what `add` puts into a server; prints `ready ADDRESS`."""
    server = grpc.server(futures.ThreadPoolExecutor(64), options=[("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)])
    add(server)
    port = server.add_insecure_port(address)
    server.start()
    print(f"ready {address.rsplit(':', 1)[0]}:{port}", flush=True)
    server.wait_for_termination()


def equal(seen, expected):
    if seen != expected:
        raise AssertionError(f"{seen!r} (expected: {expected!r})")


def run(*tests):
    """Prints `NAME ok`, or what was seen, for each."""
    for test in tests:
        try:
            test()
            print(test.__name__, "ok", flush=True)
        except Exception as e:
            print(test.__name__, f"{type(e).__name__} {e}".replace("\n", " "), flush=True)
