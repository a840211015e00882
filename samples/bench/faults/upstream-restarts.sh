#!/usr/bin/env bash
# Upstreams that are ended and started again, one at a time, under load: gracefully (SIGTERM) and killed (SIGKILL) in the middle of what they execute, over HTTP/1.1, cleartext HTTP/2 and HTTP/2 over TLS;
# GETs, POSTs and, to upstreams of HTTP/2, unary gRPC calls. Each upstream writes down what it begins and what it finishes.
#
# No GET may be lost. Nothing may be finished twice, or sent again once it was finished. No POST and no call may be begun twice: a GET may, if a kill has ended its first execution. A call that fails is told so by grpc-status 14.
# Of upstreams that end gracefully, nothing that was begun may be lost or begun twice, and over HTTP/2, where GOAWAY tells what wasn't begun, nothing at all may be lost. One that is back must get requests again within the
# 10 s for which it is skipped. Ends with 1 otherwise, and when no kill has found a POST in execution. Needs Python's h2.
#
# Options by environment: ROUNDS (10; of each kind), SCHEMES (http h2c https+h2), SIGNALS (TERM KILL), TARGET (webproxy; or nginx, whose proxy_next_upstream has non_idempotent, for http: it breaks the rule), JAR,
# JAVA (java), JAVA_OPTS.
set -euo pipefail
cd "$(dirname "$0")/../tools"
# shellcheck source=common.sh
. ./common.sh
PATH=$PATH:/usr/sbin
rounds=${ROUNDS:-10}
target=${TARGET:-webproxy}
need python3 openssl keytool
python3 -c 'import h2' 2>/dev/null || die "Python's h2 is needed and not installed."
certificate
keytool -importcert -noprompt -alias ca -file "$work/cert.pem" -keystore "$work/trust.p12" -storetype PKCS12 -storepass secret >/dev/null 2>&1
status=0
declare -A upstream at

run() { # name: starts it on its port
  python3 programs/restarts.py upstream "$kind" "${at[$1]:-0}" "$work/$1.executed" "$work/cert.pem" "$work/key.pem" >"$work/$1.out" 2>"$work/$1.err" &
  upstream[$1]=$!
  pids+=($!)
  ready $! "$1"
  at[$1]=${uri##*:}
  at[$1]=${at[$1]%/}
}

proxy() { # puts its URI into $uri
  local to=() name
  if [ "$target" = nginx ]; then
    need nginx
    free_port
    nginx_server nginx "$port" <<CONF
  upstream service {
$(for name in a b c; do echo "    server 127.0.0.1:${at[$name]};"; done)
    keepalive 64;
  }
  server {
    listen 127.0.0.1:$port;
    location / {
      proxy_pass http://service;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_next_upstream error timeout non_idempotent;
    }
  }
CONF
    uri=http://127.0.0.1:$port/
    proxy_pid=$nginx_pid
    return
  fi
  for name in a b c; do to+=(--to "$scheme://localhost:${at[$name]}"); done
  : >"$work/proxy.out"
  # shellcheck disable=SC2086 # options are words
  "$java" -Xmx128m ${JAVA_OPTS:-} -Djavax.net.ssl.trustStore="$work/trust.p12" -Djavax.net.ssl.trustStorePassword=secret -jar "$jar" expose "${to[@]}" \
    --external-port 0 --bind 127.0.0.1 --plain >"$work/proxy.out" 2>"$work/proxy.err" &
  proxy_pid=$!
  pids+=($!)
  ready $! proxy
}

restart() { # name, signal
  local name=$1 before since millis
  kill "-$2" "${upstream[$name]}"
  wait "${upstream[$name]}" 2>/dev/null || true
  sleep 0.5
  before=$(stat -c %s "$work/$name.executed")
  run "$name"
  since=$(date +%s%N)
  while [ "$(stat -c %s "$work/$name.executed")" -eq "$before" ] && [ $(($(date +%s%N) - since)) -lt 30000000000 ]; do
    sleep 0.05
  done
  millis=$((($(date +%s%N) - since) / 1000000))
  back+=("$millis")
  # 10 s, and what it takes to look on a busy machine
  [ "$millis" -le 13000 ] || late=1
  sleep 0.5
}

for scheme in ${SCHEMES:-http h2c https+h2}; do
  case $scheme in
  http | h2c) kind=$scheme ;;
  https+h2) kind=tls ;;
  *) die "$scheme (expected: http, h2c, https+h2)" ;;
  esac
  [ "$target" = webproxy ] || [ "$scheme" = http ] || die "$target is for SCHEMES=http"
  for signal in ${SIGNALS:-TERM KILL}; do
    at=() back=() late=0
    rm -f "$work/stop" "$work"/{a,b,c}.executed
    for name in a b c; do
      : >"$work/$name.executed"
      run "$name"
    done
    proxy
    calls=-
    [ "$scheme" = http ] || calls=$uri
    python3 programs/restarts.py load "$uri" "$calls" "$work/stop" "$work/load" >"$work/load.out" 2>&1 &
    load=$!
    pids+=("$load")
    # once connections are open, and code is compiled
    for _ in $(seq 300); do
      [ "$(cat "$work"/{a,b,c}.executed | wc -l)" -lt 1000 ] || break
      sleep 0.2
    done
    for round in $(seq "$rounds"); do
      restart "$(cut -c $((round % 3 + 1)) <<<abc)" "$signal"
    done
    touch "$work/stop"
    wait "$load" || die "the load failed: $(tail -n 1 "$work/load.out")"
    echo "$target, $scheme, $rounds x SIG$signal; gets requests again after (ms): ${back[*]}"
    [ "$late" -eq 0 ] || { echo "  NOT OK: it takes too long until one that is back gets requests" && status=1; }
    python3 programs/restarts.py judge "$scheme" "$signal" "$work/load" "$work"/{a,b,c}.executed || status=1
    for pid in "$proxy_pid" "${upstream[@]}"; do kill -9 "$pid" && wait "$pid" 2>/dev/null || true; done
  done
done
exit "$status"
