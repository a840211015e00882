#!/usr/bin/env bash
# What many idle WebSockets cost the proxy, in clear and over TLS, in a fresh proxy each: resident memory per WebSocket,
# threads and descriptors. Each echoes once when it is open, and 50 of them again at the end.
#
# Resident memory is taken after a collection and some seconds; others are opened and closed first, ten times, so that what
# the first ones load and compile for good isn't counted.
#
# Options by environment: COUNT (2000), WARMUP (200, each of the ten times), PLAIN_KIB (25) and TLS_KIB (60; what a
# WebSocket may cost), SETTLE (5 s), JAR, JAVA (java), JAVA_OPTS (of the proxy; -Xmx256m).
set -euo pipefail
cd "$(dirname "$0")"

count=${COUNT:-2000}
warmup=${WARMUP:-200}
settle=${SETTLE:-5}
jar=${JAR:-../target/webproxy.jar}
java=${JAVA:-java}

die() {
  echo "websocket-memory: $*" >&2
  exit 1
}
for tool in openssl jcmd jstat "$java"; do
  command -v "$tool" >/dev/null || die "$tool is needed and not installed."
done
[ -f "$jar" ] || die "$jar is missing: build it by mvn -q -B -ntp package -DskipTests, or name it in JAR."
# The proxy has one to the client, one to the upstream, and two of the TLS engine for each WebSocket.
[ "$(ulimit -n)" = unlimited ] || [ "$(ulimit -n)" -gt $((count * 4 + 500)) ] \
  || die "$(ulimit -n) open files are too few: raise the limit by ulimit -n $((count * 4 + 1000))."

work=$(mktemp -d)
pids=()
cleanup() {
  trap - EXIT
  [ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

ready() { # pid, name, how many: puts what it serves into $uris
  for _ in $(seq 300); do
    mapfile -t uris < <(sed -n 's/^ready //p' "$work/$2.out" 2>/dev/null || true)
    [ ${#uris[@]} -lt "$3" ] || return 0
    kill -0 "$1" 2>/dev/null || die "the $2 did not start: $(head -n 1 "$work/$2.err")"
    sleep 0.1
  done
  die "the $2 was not ready within 30 s."
}

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
  -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout "$work/key.pem" -out "$work/cert.pem" 2>/dev/null

# The proxy opens at most 1024 connections to one upstream.
ports=$((count / 700 + 1))
"$java" Upstream.java "$ports" >"$work/upstream.out" 2>"$work/upstream.err" &
pids+=($!)
ready $! upstream "$ports"
upstreams=()
for uri in "${uris[@]}"; do
  upstreams+=(--to "$uri")
done

failed=0
measure() { # name, KiB allowed, options of the proxy
  local pid
  # shellcheck disable=SC2086 # options are words
  "$java" ${JAVA_OPTS:--Xmx256m} -jar "$jar" expose "${upstreams[@]}" --external-port 0 --bind 127.0.0.1 "${@:3}" \
    >"$work/$1.out" 2>"$work/$1.err" &
  pid=$!
  pids+=("$pid")
  ready "$pid" "$1" 1
  echo "$count WebSockets, $1, proxy with ${JAVA_OPTS:--Xmx256m}"
  "$java" -Xmx1g IdleWebSockets.java "${uris[0]}" "$work/cert.pem" "$pid" "$count" "$2" "$warmup" "$settle" 2>&1 || failed=1
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
