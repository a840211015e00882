"""Services to put a proxy in front of: `upstreams.py model|busy|git|s3|gradio …`. Each prints `ready URL` once it listens on a free port of 127.0.0.1."""
import asyncio
import hashlib
import hmac
import json
import os
import re
import subprocess
import sys
import time
from xml.sax.saxutils import escape

from aiohttp import web


async def completions(request):
    """Chat completions as events, ten a second; writes down when a client that has not had all of them is gone."""
    question = await request.json()
    if not question.get("stream"):
        return web.json_response(
            {"id": "1", "object": "chat.completion", "created": 0, "model": "m", "choices": [
                {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "whole"}}]})
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    try:
        for i in range(300):
            chunk = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "m",
                     "choices": [{"index": 0, "delta": {"content": f"{i} "}, "finish_reason": None}]}
            await response.write(f"data: {json.dumps(chunk)}\n\n".encode())
            await asyncio.sleep(0.1)
        await response.write(b"data: [DONE]\n\n")
    except (ConnectionError, asyncio.CancelledError):
        with open(request.app["gone"], "a", encoding="ascii") as gone:
            gone.write(f"{time.time()}\n")
        raise
    return response


async def busy(_):
    """A model server that has no time."""
    return web.json_response({"error": {"message": "busy", "type": "rate_limit", "code": "429"}}, status=429, headers={"Retry-After": "1"})


async def git(request):
    """git's own smart HTTP backend, as a CGI program."""
    environment = dict(
        os.environ,
        GIT_PROJECT_ROOT=request.app["root"], GIT_HTTP_EXPORT_ALL="1", REMOTE_USER="user", REMOTE_ADDR="127.0.0.1",
        PATH_INFO=request.path, QUERY_STRING=request.query_string, REQUEST_METHOD=request.method,
        CONTENT_TYPE=request.headers.get("Content-Type", ""),
        HTTP_CONTENT_ENCODING=request.headers.get("Content-Encoding", ""),
        GIT_PROTOCOL=request.headers.get("Git-Protocol", ""))
    body = await request.read()
    backend = await asyncio.create_subprocess_exec(
        "git", "http-backend", env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    output, _ = await backend.communicate(body)
    head, _, content = output.partition(b"\r\n\r\n")
    fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
    status = int(fields.pop("Status", "200").split()[0])
    return web.Response(status=status, headers=fields, body=content)


def signature(request):
    """What AWS Signature Version 4 of a request with the key `key` is, over the method, path, query and fields that have arrived."""
    scope, names = re.search(r"Credential=[^/]*/([^,]*), *SignedHeaders=([^,]*)", request.headers["Authorization"]).groups()
    path, _, query = request.raw_path.partition("?")
    pairs = sorted(pair if "=" in pair else pair + "=" for pair in query.split("&") if pair)
    fields = "".join(f"{name}:{' '.join(request.headers[name].split())}\n" for name in names.split(";"))
    canonical = "\n".join([request.method, path, "&".join(pairs), fields, names, request.headers["x-amz-content-sha256"]])
    text = "\n".join(["AWS4-HMAC-SHA256", request.headers["x-amz-date"], scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = b"AWS4key"
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()


async def s3(request):
    """As much of an object store as a client of one bucket needs; a request whose signature doesn't fit what has arrived is refused."""
    if not request.headers.get("Authorization", "").endswith("Signature=" + signature(request)):
        return web.Response(status=403, text="<Error><Code>SignatureDoesNotMatch</Code></Error>", content_type="application/xml")
    store, key = request.app["store"], request.path.partition("/bucket/")[2]
    if request.method == "PUT":
        metadata = {name: value for name, value in request.headers.items() if name.lower().startswith("x-amz-meta-")}
        store[key] = await request.read(), metadata
        return web.Response(headers={"ETag": '"1"'})
    if key:
        content, metadata = store[key]
        return web.Response(body=content, headers=metadata)
    keys = "".join(f"<Contents><Key>{escape(name)}</Key><Size>1</Size></Contents>" for name in sorted(store) if name)
    return web.Response(text=f"<ListBucketResult><Name>bucket</Name>{keys}</ListBucketResult>", content_type="application/xml")


def serve(routes, **values):
    app = web.Application(client_max_size=1 << 30)
    for name, value in values.items():
        app[name] = value
    app.add_routes(routes)

    async def main():
        runner = web.AppRunner(app, handler_cancellation=True)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        print(f"ready http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}/", flush=True)
        await asyncio.Event().wait()

    asyncio.run(main())


def gradio_app():
    import gradio

    def count(name):
        for i in range(3):
            time.sleep(0.3)
            yield f"{name} {i}"

    def turn(path):
        with open(path, "rb") as given, open(path + ".turned", "wb") as turned:
            turned.write(given.read()[::-1])
        return path + ".turned"

    with gradio.Blocks() as demo:
        name, said = gradio.Textbox(label="name"), gradio.Textbox(label="said")
        gradio.Button("go").click(count, name, said, api_name="count")
        given, turned = gradio.File(label="given"), gradio.File(label="turned")
        gradio.Button("turn").click(turn, given, turned, api_name="turn")
    demo.queue()
    _, url, _ = demo.launch(server_name="127.0.0.1", server_port=None, prevent_thread_lock=True, quiet=True,
                              root_path=sys.argv[2] if len(sys.argv) > 2 else None)
    print(f"ready {url}", flush=True)
    while True:
        time.sleep(3600)


if __name__ == "__main__":
    if sys.argv[1] == "model":
        serve([web.post("/v1/chat/completions", completions)], gone=sys.argv[2])
    elif sys.argv[1] == "busy":
        serve([web.post("/v1/chat/completions", busy)])
    elif sys.argv[1] == "git":
        serve([web.route("*", "/{path:.*}", git)], root=sys.argv[2])
    elif sys.argv[1] == "s3":
        serve([web.route("*", "/{path:.*}", s3)], store={})
    else:
        gradio_app()
