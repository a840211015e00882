#!/usr/bin/env bash
# Single-byte changes of recorded ClientHellos, sent to the port command and to nginx with ssl_preread: the same server name must go to the same target, and no
# connection may hang. nginx reads less than a TLS library does, so this covers the changes that those refuse. Prints how often each pair of answers came, and
# ends with 1 when a name went to another target than with nginx, or something hung.
#
# usage: hello-mutations.sh [FILE ...]    recorded ClientHellos for www.example.com; those of the tests, if none is named
# Options by environment: VALUES (few: each bit and the edges; all: 256 for each byte), PROXY (a command that takes the place of `java -jar … port`), JAR, JAVA.
set -euo pipefail
cd "$(dirname "$0")/../tools"
# shellcheck source=common.sh
. ./common.sh
PATH=$PATH:/usr/sbin
need nginx python3
files=("$@")
recorded=../../../webproxy-undertow/src/test/resources/io/webproxy/undertow/sniff/hellos
[ $# -gt 0 ] || files=("$recorded/openssl" "$recorded/openssl-bare" "$recorded/curl" "$recorded/go-ech" "$recorded/chromium")

python3 programs/hello_mutations.py targets name wildcard other >"$work/targets.out" &
pids+=($!)
for _ in $(seq 100); do
  [ ! -s "$work/targets.out" ] || break
  sleep 0.1
done
read -ra at < <(sed 's/[a-z]*=/127.0.0.1:/g' "$work/targets.out")

free_port
nginx_port=$port
module=$(find /usr/lib/nginx/modules -name ngx_stream_module.so 2>/dev/null || true)
[ -n "$module" ] || nginx -V 2>&1 | grep -qE -- '--with-stream( |$)' || die "nginx's stream module is needed (Debian: libnginx-mod-stream)."
cat >"$work/nginx.conf" <<EOF
${module:+load_module $module;}
daemon off;
pid $work/nginx.pid;
error_log $work/nginx.log crit;
worker_processes 1;
events { worker_connections 2048; }
stream {
  map \$ssl_preread_server_name \$target {
    www.example.com ${at[0]};
    ~*^[a-z0-9_-]+\.example\.com$ ${at[1]};
    default ${at[2]};
  }
  server { listen 127.0.0.1:$nginx_port; ssl_preread on; preread_timeout 10s; preread_buffer_size 32k; proxy_pass \$target; }
}
EOF
nginx -c "$work/nginx.conf" -p "$work" 2>"$work/nginx.err" &
pids+=($!)
listens "$nginx_port" "$work/nginx.err"

read -ra proxy <<<"${PROXY:-$java -Xmx256m -jar $jar port}"
"${proxy[@]}" --listen 0 --bind 127.0.0.1 --pass-through "www.example.com=${at[0]}" --pass-through "*.example.com=${at[1]}" --tls "${at[2]}" \
  >"$work/proxy.out" 2>"$work/proxy.err" &
pids+=($!)
ready $! proxy
python3 programs/hello_mutations.py compare "${uri##*:}" "$nginx_port" "${files[@]}"
