"""Python programs behind a proxy: `clients.py NAME URL CA_FILE [more]`; exits with 0 if what came through is what was sent."""
import asyncio
import hashlib
import json
import os
import ssl
import sys
import time

SIZE = 3_000_000
BODY = bytes(range(256)) * (SIZE // 256)
USER, PASSWORD = "user", "secret"


def check(what, seen, wanted):
    if seen != wanted:
        sys.exit(f"{what}: {str(seen)[:200]!r} (expected: {str(wanted)[:200]!r})")


def check_upload(what, text):
    check(what, json.loads(text), {"bytes": len(BODY), "sha256": hashlib.sha256(BODY).hexdigest()})


def pieces():
    for i in range(0, len(BODY), 100_000):
        yield BODY[i:i + 100_000]


def with_requests(url, ca):
    import requests
    with requests.Session() as session:
        session.trust_env = False  # a bundle named by the environment would win
        session.verify = ca
        check("early 401", session.post(url + "upload", data=BODY * 3).status_code, 401)
        session.auth = (USER, PASSWORD)
        for _ in range(20):
            check("hello", session.get(url + "api/hello").json()["message"], "hello")
        check("download", len(session.get(url + f"download/a?size={SIZE}").content), SIZE)
        check_upload("length", session.post(url + "upload", data=BODY).text)
        check_upload("chunked", session.post(url + "upload", data=pieces()).text)
        check("range", session.get(url + "download/a?size=1000", headers={"Range": "bytes=10-19"}).status_code, 206)


def httpx_session(url, ca, http2):
    import httpx
    with httpx.Client(verify=ssl.create_default_context(cafile=ca), http2=http2, timeout=30) as client:
        check("early 401", client.post(url + "upload", content=BODY * 3).status_code, 401)
        client.auth = (USER, PASSWORD)
        hello = client.get(url + "api/hello")
        check("protocol", hello.http_version, "HTTP/2" if http2 else "HTTP/1.1")
        for _ in range(20):
            check("hello", client.get(url + "api/hello").json()["message"], "hello")
        check("download", len(client.get(url + f"download/a?size={SIZE}").content), SIZE)
        check_upload("length", client.post(url + "upload", content=BODY).text)
        check_upload("chunked", client.post(url + "upload", content=pieces()).text)


def with_httpx(url, ca):
    httpx_session(url, ca, False)


def with_httpx_http2(url, ca):
    httpx_session(url, ca, True)


def with_aiohttp(url, ca):
    import aiohttp

    async def main():
        tls = ssl.create_default_context(cafile=ca)
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=tls)) as session:
            async with session.post(url + "upload", data=BODY * 3) as refused:
                check("early 401", refused.status, 401)
        auth = aiohttp.BasicAuth(USER, PASSWORD)
        async with aiohttp.ClientSession(auth=auth, connector=aiohttp.TCPConnector(ssl=tls)) as session:
            for _ in range(20):
                async with session.get(url + "api/hello") as hello:
                    check("hello", (await hello.json())["message"], "hello")
            async with session.get(url + f"download/a?size={SIZE}") as download:
                check("download", len(await download.read()), SIZE)
            async with session.post(url + "upload", data=BODY) as uploaded:
                check_upload("length", await uploaded.text())

            async def chunks():
                for piece in pieces():
                    yield piece

            async with session.post(url + "upload", data=chunks()) as uploaded:
                check_upload("chunked", await uploaded.text())
            async with session.ws_connect(url + "echo") as socket:
                await socket.send_str("hello")
                check("echo", (await socket.receive()).data, "hello")

    asyncio.run(main())


def with_urllib(url, ca):
    import urllib.error
    import urllib.request
    tls = ssl.create_default_context(cafile=ca)
    try:
        urllib.request.urlopen(urllib.request.Request(url + "upload", data=BODY * 20, method="POST"), context=tls)
        sys.exit("early 401: no error")
    except urllib.error.HTTPError as e:
        check("early 401", e.code, 401)
    import base64
    fields = {"Authorization": "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()}

    def send(path, data=None):
        with urllib.request.urlopen(urllib.request.Request(url + path, data=data, headers=fields), context=tls) as response:
            return response.read()

    check("hello", json.loads(send("api/hello"))["message"], "hello")
    check("download", len(send(f"download/a?size={SIZE}")), SIZE)
    check_upload("length", send("upload", BODY))


def with_openai(url, ca, gone):
    """A streamed answer that is closed early: the model must notice at once."""
    import httpx
    import openai
    before = lines(gone)
    client = openai.OpenAI(base_url=url + "v1", api_key="key",
                           http_client=httpx.Client(verify=ssl.create_default_context(cafile=ca)))
    question = [{"role": "user", "content": "?"}]
    whole = client.chat.completions.create(model="m", messages=question)
    check("whole", whole.choices[0].message.content, "whole")
    stream = client.chat.completions.create(model="m", messages=question, stream=True)
    words = []
    for chunk in stream:
        words.append(chunk.choices[0].delta.content)
        if len(words) == 5:
            break
    check("words", "".join(words), "0 1 2 3 4 ")
    stream.close()
    closed = time.time()
    noticed(gone, before, closed)


def lines(gone):
    return open(gone, encoding="ascii").read().split() if os.path.exists(gone) else []


def noticed(gone, before, closed):
    until = time.time() + 5
    while len(lines(gone)) == len(before):
        if time.time() > until:
            sys.exit("the model was not told within 5 s that the client has left")
        time.sleep(0.01)
    print(f"the model noticed after {(float(lines(gone)[-1]) - closed) * 1000:.0f} ms", end=" ")


def with_boto3(url, ca):
    """Keys and metadata that are often mangled on the way; each request is signed over path, query and fields."""
    import boto3
    from botocore.config import Config
    s3 = boto3.client("s3", endpoint_url=url.rstrip("/"), verify=ca, region_name="us-east-1", aws_access_key_id="id",
                      aws_secret_access_key="key", config=Config(s3={"addressing_style": "path"}, request_checksum_calculation="when_required"))
    s3.create_bucket(Bucket="bucket")
    keys = ["a b", "a+b", "a%2Fb", "ümläut/日本", "q?x=1&y", "semi;colon,comma", "quote'\"", "~tilde", "dots../x", "a//b", "(1)[2]{3}|^"]
    for key in keys:
        s3.put_object(Bucket="bucket", Key=key, Body=key.encode(), Metadata={"organization_id": "1"})
    check("keys", sorted(o["Key"] for o in s3.list_objects_v2(Bucket="bucket")["Contents"]), sorted(keys))
    for key in keys:
        found = s3.get_object(Bucket="bucket", Key=key)
        check(key, found["Body"].read(), key.encode())
        check("metadata of " + key, found["Metadata"], {"organization_id": "1"})
    s3.put_object(Bucket="bucket", Key="large", Body=BODY)
    check("large", hashlib.sha256(s3.get_object(Bucket="bucket", Key="large")["Body"].read()).digest(),
          hashlib.sha256(BODY).digest())


def with_jupyterlab(url, ca):
    """The page, and a kernel that computes by WebSocket."""
    import requests
    import websockets.sync.client
    session = requests.Session()
    session.trust_env = False
    session.verify = ca
    check("page", session.get(url + "lab").status_code, 200)
    kernel = session.post(url + "api/kernels", json={"name": "python3"}).json()["id"]
    with websockets.sync.client.connect(
            url.replace("https:", "wss:") + f"api/kernels/{kernel}/channels", ssl=ssl.create_default_context(cafile=ca)) as socket:
        socket.send(json.dumps({
            "channel": "shell", "parent_header": {}, "metadata": {}, "buffers": [],
            "header": {"msg_id": "1", "msg_type": "execute_request", "username": "", "session": "1", "version": "5.3"},
            "content": {"code": "print(6 * 7)", "silent": False, "store_history": False, "user_expressions": {},
                        "allow_stdin": False}}))
        while True:
            message = json.loads(socket.recv(timeout=60))
            if message["msg_type"] == "stream":
                check("output", message["content"]["text"], "42\n")
                break
    session.delete(url + f"api/kernels/{kernel}")


def with_gradio(url, ca):
    import tempfile

    import gradio_client
    with tempfile.TemporaryDirectory() as directory:
        client = gradio_client.Client(url, ssl_verify=ca, verbose=False, download_files=directory)
        times = []
        for said in client.submit("x", api_name="/count"):
            times.append(time.time())
        check("result", said, "x 2")
        check("events as they come", times[-1] - times[0] > 0.3, True)
        sent = os.urandom(5_000_000)
        with open(f"{directory}/sent", "wb") as file:
            file.write(sent)
        with open(client.predict(gradio_client.handle_file(f"{directory}/sent"), api_name="/turn"), "rb") as file:
            check("file", file.read() == sent[::-1], True)


if __name__ == "__main__":
    globals()["with_" + sys.argv[1]](*sys.argv[2:])
