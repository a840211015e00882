#!/usr/bin/env bash
# Programs that people use, through a public proxy that never ends TLS to a private one that listens on nothing: curl with the inner server's certificate, with a
# client certificate, over HTTP/2 and with the PROXY protocol, names under a wildcard, a WebSocket, events beside direct ones, a large download, ssh by a port of the public side and by
# TLS, half-close by either side, much data in both directions at once, and a connection that is silent for a while. Each is one line, `ok` or `FAILED`,
# with what it said. Ends with 1 when one failed or was left out.
#
# Options by environment: MB (1024; of the download, and in each direction at once), QUIET and LIFE (20 and 30; seconds that one connection is silent, and lives;
# 300 and 600 for the long case), EVENTS (500), CASES (an expression for their names, such as curl|http2.*; all), JAR, JAVA (java), JAVA_OPTS (of both proxies), KEEP (a directory that logs
# are copied to when it ends).
# shellcheck disable=SC2016,SC2154 # functions and variables are used by name
set -uo pipefail
cd "$(dirname "$0")/../tools" || exit 1
# shellcheck source=common.sh
. ./common.sh
# shellcheck source=tunnel-common.sh
. ./tunnel-common.sh
PATH=$PATH:/usr/sbin:/sbin
need openssl python3 sshd ssh ssh-keygen curl nginx
megabytes=${MB:-1024}
helper=$PWD/programs/tunnel.py
keep() { [ -z "${KEEP:-}" ] || { mkdir -p "$KEEP" && cp -r "$work"/*.log "$work"/*.out "$work"/*.err "$work"/said "$KEEP"/ 2>/dev/null; }; }
trap 'keep; stopped' EXIT
chmod 711 "$work"

# ---- inner services
root_certificate
signed inner "test.$domain"
signed mtls "mtls.$domain"
signed seen "seen.$domain"
signed shell "shell.$domain"
signed wild "*.wild.$domain"
signed exact "exact.wild.$domain"
signed client a-client
ca=$work/root.crt
head -c $((megabytes << 20)) /dev/zero | openssl enc -aes-128-ctr -pass pass:a -nosalt -pbkdf2 >"$work/large" 2>/dev/null
sum=$(sha256sum <"$work/large")
launch upstream upstream "$java" "${quick[@]}" Upstream.java
ready "$upstream" upstream
upstream_port=${uri##*:}
upstream_port=${upstream_port%/}
free_port && inner=$port
free_port && mtls=$port
free_port && seen=$port
free_port && wild=$port
free_port && exact=$port
free_port && raw=$port
user=
[ "$(id -u)" -ne 0 ] || user="user root;"
cat >"$work/nginx.conf" <<EOF_NGINX
$user
daemon off;
pid $work/nginx.pid;
error_log $work/nginx-error.log warn;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path $work/body; proxy_temp_path $work/proxy; fastcgi_temp_path $work/fastcgi; uwsgi_temp_path $work/uwsgi; scgi_temp_path $work/scgi;
  default_type application/json;
  server {
    listen 127.0.0.1:$inner ssl http2;
    ssl_certificate $work/inner.crt;
    ssl_certificate_key $work/inner.key;
    location /jsonrpc { return 200 '{"message": "success"}'; }
    location /large { root $work; }
    location / {
      proxy_pass http://127.0.0.1:$upstream_port;
      proxy_http_version 1.1;
      proxy_set_header Upgrade \$http_upgrade;
      proxy_set_header Connection \$http_connection;
      proxy_buffering off;
    }
  }
  server {
    listen 127.0.0.1:$mtls ssl;
    ssl_certificate $work/mtls.crt;
    ssl_certificate_key $work/mtls.key;
    ssl_client_certificate $work/root.crt;
    ssl_verify_client on;
    location / { return 200 "\$ssl_client_s_dn"; }
  }
  server {
    listen 127.0.0.1:$seen ssl proxy_protocol;
    ssl_certificate $work/seen.crt;
    ssl_certificate_key $work/seen.key;
    location / { return 200 "\$proxy_protocol_addr"; }
  }
  server {
    listen 127.0.0.1:$wild ssl;
    ssl_certificate $work/wild.crt;
    ssl_certificate_key $work/wild.key;
    location / { return 200 wildcard; }
  }
  server {
    listen 127.0.0.1:$exact ssl proxy_protocol;
    ssl_certificate $work/exact.crt;
    ssl_certificate_key $work/exact.key;
    location / { return 200 exact; }
  }
}
EOF_NGINX
nginx -e "$work/nginx-error.log" -c "$work/nginx.conf" &
pids+=($!)
ssh_server host && sshd=$port
launch wrapper wrapper "$java" "${quick[@]}" -jar "$jar" port --listen 0 --bind 127.0.0.1 --tls here --to "http://127.0.0.1:$upstream_port" --cert "$work/shell.crt" --key "$work/shell.key" --inside-ssh "shell.$domain=127.0.0.1:$sshd"
ready "$wrapper" wrapper
wrapped=${uri##*:}
wrapped=${wrapped%/}
listens "$inner" "$work/nginx-error.log"

# ---- both proxies
free_port && tcp_ssh=$port
free_port && tcp_raw=$port
agent alice --names "*.$domain,*.wild.$domain" --ports "$tcp_ssh,$tcp_raw"
public_proxy public 0 --bind 127.0.0.1
one=$port
private_proxy private alice "127.0.0.1:$one" --announce "test.$domain=127.0.0.1:$inner" --announce "mtls.$domain=127.0.0.1:$mtls" \
  --announce "shell.$domain=127.0.0.1:$wrapped" --announce "*.wild.$domain=127.0.0.1:$wild" --announce "raw.$domain=127.0.0.1:$raw" --announce "tcp:$tcp_ssh=127.0.0.1:$sshd" --announce "tcp:$tcp_raw=127.0.0.1:$raw"
private=$pid
agent bob --names "seen.$domain,exact.wild.$domain" --shared # a second agent, since the option holds for all of one
sleep 2 # that the agents file is read again
private_proxy private-v2 bob "127.0.0.1:$one" --announce "seen.$domain=127.0.0.1:$seen" \
  --announce "exact.wild.$domain=127.0.0.1:$exact" --proxy-protocol v2

cat >"$work/ssh_config" <<EOF_SSH
Host tcp
  HostName 127.0.0.1
  Port $tcp_ssh
Host tls
  ProxyCommand openssl s_client -quiet -verify_quiet -verify_return_error -CAfile $ca -verify_hostname shell.$domain -servername shell.$domain -connect 127.0.0.1:$one
Host *
  HostKeyAlias host
  User $(id -un)
  IdentityFile $work/user
  IdentitiesOnly yes
  BatchMode yes
  StrictHostKeyChecking yes
  UserKnownHostsFile $work/known
  ConnectTimeout 20
EOF_SSH
echo "127.0.0.1 test.$domain" >"$work/hosts"
through() { # name, curl's other options
  curl -sS --max-time 300 --cacert "$ca" --resolve "$1.$domain:$one:127.0.0.1" "${@:2}"
}
line() { same "$(curl --silent --cacert "$ca" --resolve "test.$domain:$one:127.0.0.1" "https://test.$domain:$one/jsonrpc")" '{"message": "success"}'; }
whose() { through test -o /dev/null -w '%{certs}' --write-out '%{ssl_verify_result}' "https://test.$domain:$one/jsonrpc" >/dev/null &&
  same "$(openssl s_client -connect "127.0.0.1:$one" -servername "test.$domain" </dev/null 2>/dev/null | openssl x509 -noout -fingerprint -sha256)" "$(openssl x509 -in "$work/inner.crt" -noout -fingerprint -sha256)"; }
upper() { same "$(curl -sS --max-time 20 --cacert "$ca" --connect-to "TEST.Internal-Server.LOCAL:443:127.0.0.1:$one" https://TEST.Internal-Server.LOCAL/jsonrpc)" '{"message": "success"}'; }
with_certificate() { same "$(through mtls --cert "$work/client.crt" --key "$work/client.key" "https://mtls.$domain:$one/")" "CN=a-client"; }
without_certificate() { same "$(through mtls -o /dev/null -w '%{http_code}' "https://mtls.$domain:$one/")" 400; }
version2() { same "$(through test --http2 -w ' %{http_version}' "https://test.$domain:$one/jsonrpc")" '{"message": "success"} 2'; }
streams() { # many requests on one connection of HTTP/2
  local got
  got=$(through test --http2 --parallel --parallel-immediate --parallel-max 50 -o /dev/null -w '%{http_code} %{http_version}\n' "https://test.$domain:$one/size?size=20000&n=[1-200]" | sort | uniq -c | tr -s ' ')
  same "$got" ' 200 200 2'
}
seen_as() { same "$(through seen --interface 127.9.8.7 "https://seen.$domain:$one/")" 127.9.8.7; }
leaf() { # server name, as it is sent: the subject of the certificate that comes
  openssl s_client -connect "127.0.0.1:$one" -servername "$1" </dev/null 2>"$work/leaf" | openssl x509 -noout -subject -nameopt RFC2253 2>/dev/null || grep -m 1 -o 'unrecognized name' "$work/leaf"
}
wildcard() { same "$(through any.wild "https://any.wild.$domain:$one/")" wildcard && same "$(leaf "any.wild.$domain")" "subject=CN=*.wild.$domain"; }
exact_first() { # of another agent
  same "$(through exact.wild "https://exact.wild.$domain:$one/")" exact && same "$(leaf "exact.wild.$domain")" "subject=CN=exact.wild.$domain"
}
one_level() { same "$(leaf "a.b.wild.$domain")" 'unrecognized name' && same "$(leaf "wild.$domain")" 'unrecognized name'; }
spelled() { # upper case and a trailing dot mean nothing
  local upper=${domain^^}
  same "$(leaf "ANY.wild.$upper.")" "subject=CN=*.wild.$domain" && same "$(leaf "Exact.WILD.$upper.")" "subject=CN=exact.wild.$domain" && same "$(leaf "test.$domain.")" "subject=CN=test.$domain"
}
websocket() { python3 - "$one" "$ca" "$domain" <<'PY'
import socket, sys
sys.path.insert(0, "programs")
import one_port
port, ca, domain = sys.argv[1:]
real = socket.getaddrinfo
socket.getaddrinfo = lambda host, *rest, **more: real("127.0.0.1" if str(host).endswith(domain) else host, *rest, **more)
sys.exit(0 if one_port.websocket(f"wss://test.{domain}:{port}/echo", ca) else 1)
PY
}
events() { # beside those that nginx sends straight; the first requests warm up
  through test -o /dev/null "https://test.$domain:$one/w?type=text/event-stream&pieces=3&every=1&n=[1-50]" || return 1
  "$java" -Djdk.net.hosts.file="$work/hosts" SseDelay.java "https://test.$domain:$one/" "$ca" "https://test.$domain:$inner/" "${EVENTS:-500}" 20 >"$work/said/events.all" 2>&1
  local result=$?
  tail -n 3 "$work/said/events.all" | sed 's/ events, late//; s/added at the median/added/'
  return $result
}
download() { same "$(through test "https://test.$domain:$one/large" | sha256sum)" "$sum" && echo "$megabytes MiB, ${sum%% *}"; }
slowly() { # a reader that stops for a while loses nothing
  same "$(through test "https://test.$domain:$one/large" --range 0-99999999 | { head -c 1000000; sleep 3; cat; } | sha256sum)" "$(head -c 100000000 "$work/large" | sha256sum)"
}
upload() { same "$(head -c 20000000 "$work/large" | through test --data-binary @- -o /dev/null -w '%{http_code}' "https://test.$domain:$one/jsonrpc")" "${1:-405}"; }
shell_by() { same "$(ssh -F "$work/ssh_config" "$1" 'echo $SERVER; head -c 30000000 /dev/zero | sha256sum; exit 7'; echo $?)" "host
$(head -c 30000000 /dev/zero | sha256sum)
7" | tail -n 1; }
copy_by() { scp -q -F "$work/ssh_config" "$1:$work/large" "$work/$1.copy" && same "$(sha256sum <"$work/$1.copy")" "$sum"; rm -f "$work/$1.copy"; }
unknown() { # an alert, not a silent end
  local said
  said=$(openssl s_client -connect "127.0.0.1:$one" -servername other.example.com </dev/null 2>&1)
  grep -m 1 -o 'unrecognized name' <<<"$said"
}
hides() { # the private side has no port
  local ports
  ports=$(lsof -nP -a -p "$private" -iTCP -sTCP:LISTEN | wc -l)
  same "$ports listening" '0 listening'
}

run() { # name, command…
  if [[ $1 =~ ^(${CASES:-.*})$ ]]; then alone "$@"; fi
}
mkdir "$work/said"
raw_case() { python3 "$helper" "$@"; }
run curl line
run inner-certificate whose
run mixed-case upper
run client-certificate with_certificate
run no-client-certificate without_certificate
run http2 version2
run http2-streams streams
run proxy-protocol-v2 seen_as
run unknown-name unknown
run wildcard wildcard
run exact-before-wildcard exact_first
run wildcard-one-level one_level
run case-and-dot spelled
run listens-on-nothing hides
run websocket websocket
run events events
run download download
run slow-reader slowly
run ssh-by-port shell_by tcp
run ssh-by-tls shell_by tls
run scp-by-port copy_by tcp
run scp-by-tls copy_by tls
run half-close-by-name raw_case half-close "$one" "raw.$domain" "$raw"
run half-close-by-port raw_case half-close "$tcp_raw" - "$raw"
run both-ways-by-name raw_case both-ways "$one" "raw.$domain" "$raw" "$megabytes"
run both-ways-by-port raw_case both-ways "$tcp_raw" - "$raw" "$megabytes"
run silent-by-name raw_case silent "$one" "raw.$domain" "$raw" "${QUIET:-20}" "${LIFE:-30}"
run silent-by-port raw_case silent "$tcp_raw" - "$raw" "${QUIET:-20}" "${LIFE:-30}"
nothing_thrown() { same "$(complaints "$work"/public.err "$work"/private.err "$work"/private-v2.err)" ''; }
run logs nothing_thrown

echo "$ran ran, $failed failed"
[ "$failed" -eq 0 ] && { [ "$ran" -eq 29 ] || [ -n "${CASES:-}" ]; }
