# A server for connectrpc's conformance tests that is another of their servers with a proxy before it: reads what is wanted of the server, starts that server and the proxy, and tells the
# tests where the proxy is. Beside it lies what the tests are then told to call.
#
#   server COMMAND…     the server's command; TARGET (webproxy, nginx or direct), JAR, JAVA, JAVA_OPTS and LOGS (a directory) by environment
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

HTTP_1 = 1


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        at += 1
        if data[at - 1] < 128:
            return value, at
        shift += 7


def read(data):
    """The fields of a protobuf message, as far as there are varints and bytes."""
    fields, at = {}, 0
    while at < len(data):
        tag, at = varint(data, at)
        value, at = varint(data, at)
        if tag & 7 == 2:
            value, at = data[at : at + value], at + value
        fields[tag >> 3] = value
    return fields


def write(number, value):
    def encoded(n):
        out = b""
        while n > 127:
            out += bytes([n & 127 | 128])
            n >>= 7
        return out + bytes([n])

    return encoded(number << 3 | (2 if isinstance(value, bytes) else 0)) + (encoded(len(value)) + value if isinstance(value, bytes) else encoded(value))


def message(stream):
    return stream.read(struct.unpack(">I", stream.read(4))[0])


def webproxy(scheme, host, port, tls, directory, log):
    java = [os.environ.get("JAVA", "java"), *os.environ.get("JAVA_OPTS", "").split()]
    if scheme.startswith("https"):
        trust = f"{directory}/trust.p12"
        subprocess.run(
            [*("keytool", "-importcert", "-noprompt", "-alias", "ca", "-file", f"{directory}/cert.pem", "-keystore", trust), *("-storetype", "PKCS12", "-storepass", "secret")],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        java += [f"-Djavax.net.ssl.trustStore={trust}", "-Djavax.net.ssl.trustStorePassword=secret"]
    proxy = subprocess.Popen(
        [
            *java,
            *("-jar", os.environ["JAR"], "expose", "--to", f"{scheme}://{host}:{port}", "--external-port", "0", "--bind", "127.0.0.1"),
            *(["--cert", f"{directory}/cert.pem", "--key", f"{directory}/key.pem"] if tls else ["--plain"]),
            *("--access-log", f"{log}.access"),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=open(f"{log}.err", "wb"),
    )
    for line in proxy.stdout:
        where = re.match(rb"ready https?://[^:/]+:(\d+)/", line)
        if where:
            return proxy, int(where[1])
    raise SystemExit(f"the proxy didn't start: {log}.err")


def nginx(scheme, host, port, tls, directory, log):
    with socket.create_server(("127.0.0.1", 0)) as free:
        own = free.getsockname()[1]
    handler = {"h2c": "grpc_pass grpc://service;", "https+h2": "grpc_pass grpcs://service;"}.get(scheme, f"proxy_pass {scheme}://service; proxy_http_version 1.1; proxy_buffering off;")
    with open(f"{directory}/nginx.conf", "w") as conf:
        conf.write(
            f"""{'user root;' if os.getuid() == 0 else ''} daemon off; worker_processes 1; pid {directory}/pid; error_log {log}.err warn;
events {{ worker_connections 4096; }}
http {{ access_log off; client_body_temp_path {directory}/b; proxy_temp_path {directory}/p; fastcgi_temp_path {directory}/f; uwsgi_temp_path {directory}/u; scgi_temp_path {directory}/s;
client_max_body_size 0; ignore_invalid_headers off; upstream service {{ server {host}:{port}; keepalive 16; }}
server {{ listen 127.0.0.1:{own} {'ssl http2' if tls else '' if scheme == 'http' else 'http2'};
{f'ssl_certificate {directory}/cert.pem; ssl_certificate_key {directory}/key.pem;' if tls else ''}
location / {{ {handler} }} }} }}
"""
        )
    proxy = subprocess.Popen(["nginx", "-e", f"{log}.err", "-c", f"{directory}/nginx.conf"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", own)).close()
            return proxy, own
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"nginx didn't start: {log}.err")


def server(*command):
    wanted = message(sys.stdin.buffer)
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    child.stdin.write(struct.pack(">I", len(wanted)) + wanted)
    child.stdin.flush()
    answer = message(child.stdout)
    children = [child]
    target = os.environ.get("TARGET", "webproxy")

    def end(*_):
        for each in reversed(children):
            each.terminate()
        for each in children:
            each.wait()
        sys.exit(0)

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    with tempfile.TemporaryDirectory() as directory:
        if target != "direct":
            fields, running = read(wanted), read(answer)
            tls = bool(fields.get(4))
            for name, value in read(fields.get(7, b"")).items():
                with open(f"{directory}/{'cert' if name == 1 else 'key'}.pem", "wb") as pem:
                    pem.write(value)
            one = fields.get(2) == HTTP_1
            scheme = ("https" if one else "https+h2") if tls else "http" if one else "h2c"
            log = f"{os.environ.get('LOGS', directory)}/{os.getpid()}"
            host = "localhost" if tls else running.get(1, b"127.0.0.1").decode() or "127.0.0.1"
            proxy, port = globals()[target](scheme, host, running[2], tls, directory, log)
            children.append(proxy)
            answer = write(1, b"127.0.0.1") + write(2, port) + (write(3, running[3]) if 3 in running else b"")
        sys.stdout.buffer.write(struct.pack(">I", len(answer)) + answer)
        sys.stdout.buffer.flush()
        child.wait()
        end()


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
