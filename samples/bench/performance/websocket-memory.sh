#!/usr/bin/env bash
# What many idle WebSockets cost the proxy, in clear and over TLS, in a fresh proxy each: resident memory per WebSocket,
# threads and descriptors. Each echoes once when it is open, and 50 of them again at the end. Ends
# with 1 when one costs more than it may, or doesn't echo.
#
# Resident memory is taken after a collection and some seconds; others are opened and closed first, ten times, so that what
# the first ones load and compile for good isn't counted.
#
# Options by environment: COUNT (2000), WARMUP (200, each of the ten times), PLAIN_KIB (25) and TLS_KIB (60; what a
# WebSocket may cost), SETTLE (5 s), JAR, JAVA (java), JAVA_OPTS (of the proxy; -Xmx256m).
set -euo pipefail
cd "$(dirname "$0")/../tools"
# shellcheck source=common.sh
. ./common.sh
need openssl jcmd jstat

count=${COUNT:-2000}
warmup=${WARMUP:-200}
settle=${SETTLE:-5}

# The proxy has one to the client, one to the upstream, and two of the TLS engine for each WebSocket.
[ "$(ulimit -n)" = unlimited ] || [ "$(ulimit -n)" -gt $((count * 4 + 500)) ] \
  || die "$(ulimit -n) open files are too few: raise the limit by ulimit -n $((count * 4 + 1000))."

certificate

"$java" Upstream.java >"$work/upstream.out" 2>"$work/upstream.err" &
pids+=($!)
ready $! upstream
upstream=$uri

failed=0
measure() { # name, KiB allowed, options of the proxy
  local pid
  # shellcheck disable=SC2086 # options are words
  "$java" ${JAVA_OPTS:--Xmx256m} -jar "$jar" expose --to "$upstream" --external-port 0 --bind 127.0.0.1 "${@:3}" \
    >"$work/$1.out" 2>"$work/$1.err" &
  pid=$!
  pids+=("$pid")
  ready "$pid" "$1"
  echo "$count WebSockets, $1, proxy with ${JAVA_OPTS:--Xmx256m}"
  "$java" -Xmx1g IdleWebSockets.java "$uri" "$work/cert.pem" "$pid" "$count" "$2" "$warmup" "$settle" 2>&1 || failed=1
  if grep -E '^[^ ]+ (WARN|ERROR) ' "$work/$1.err" | head -n 5 | grep .; then failed=1; fi
  kill "$pid"
  wait "$pid" || true
}
measure plain "${PLAIN_KIB:-25}" --plain
measure tls "${TLS_KIB:-60}" --cert "$work/cert.pem" --key "$work/key.pem"
if [ "$failed" -ne 0 ]; then
  echo "FAILED"
  exit 1
fi
echo "ok"
