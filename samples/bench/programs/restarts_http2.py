"""An upstream of HTTP/2 in cleartext, until it is killed: PORT FILE. Appends each request that it has executed to the file, and answers it 30 ms later."""

import asyncio
import sys

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RequestReceived, StreamEnded, StreamReset

ANSWER_SECONDS = 0.03


class Upstream(asyncio.Protocol):
    def __init__(self, executed):
        self.executed = executed
        self.codec = H2Connection(H2Configuration(client_side=False, header_encoding="ascii"))
        self.heads = {}

    def connection_made(self, transport):
        self.transport = transport
        self.codec.initiate_connection()
        self.flush()

    def flush(self):
        self.transport.write(self.codec.data_to_send())

    def data_received(self, data):
        for event in self.codec.receive_data(data):
            if isinstance(event, RequestReceived):
                self.heads[event.stream_id] = dict(event.headers)
            elif isinstance(event, DataReceived):
                self.codec.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, StreamEnded):
                self.execute(event.stream_id)
            elif isinstance(event, StreamReset):
                self.heads.pop(event.stream_id, None)
        self.flush()

    def execute(self, stream):
        head = self.heads[stream]
        what = (head[":method"] + head[":path"] + "\n").encode()
        self.executed.write(what)
        # a kill is to find requests that are executed and not answered: one that is sent again then is executed twice
        asyncio.get_running_loop().call_later(ANSWER_SECONDS, self.answer, stream, what)

    def answer(self, stream, what):
        if self.heads.pop(stream, None) is None or self.transport.is_closing():
            return
        self.codec.send_headers(stream, [(":status", "200"), ("content-length", str(len(what)))])
        self.codec.send_data(stream, what, end_stream=True)
        self.flush()


async def main():
    executed = open(sys.argv[2], "ab", buffering=0)
    server = await asyncio.get_running_loop().create_server(lambda: Upstream(executed), "127.0.0.1", int(sys.argv[1]))
    print(f"ready http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", flush=True)
    await server.serve_forever()


asyncio.run(main())
