#!/usr/bin/env bash
# A client that vanishes without a FIN, as behind a cable that is pulled, is given up although its event stream goes on: what the kernel takes is no sign of
# life. Its packets are dropped by iptables in a network namespace of its own, so it has to be run by root; a second client, whose packets pass, has to go on.
# Over HTTP/1.1 in cleartext and HTTP/2; takes a bit over a minute. Ends with 1 when the dead client is kept for longer than LIMIT + SLACK, or the other is cut.
#
# Options by environment: LIMIT (15; seconds that the class of the stream waits), SLACK (8; seconds), JAR, JAVA (java).
set -euo pipefail
cd "$(dirname "$0")/../tools"
if [ "${1:-}" != in-namespace ]; then
  [ "$(id -u)" -eq 0 ] || { echo "dead-client: has to be run by root, for a network namespace." >&2; exit 1; }
  exec unshare --net "../faults/$(basename "$0")" in-namespace
fi
# shellcheck source=common.sh
. ./common.sh
need curl openssl iptables ip ss
limit=${LIMIT:-15}
slack=${SLACK:-8}
ip link set lo up

certificate
"$java" Upstream.java >"$work/upstream.out" 2>"$work/upstream.err" &
pids+=($!)
ready $! upstream
upstream=$uri
expose() { # name, options
  # shellcheck disable=SC2086 # options are words
  "$java" ${JAVA_OPTS:-} -jar "$jar" expose --to "$upstream" --external-port 0 --bind 127.0.0.1 --timeout "long=${limit}s" "${@:2}" \
    >"$work/$1.out" 2>"$work/$1.err" &
  pids+=($!)
  ready $! "$1"
}
events="events?type=text/event-stream&every=100&pieces=3000"
stream() { # name, local port, version, URL
  curl --silent --show-error --no-buffer --cacert "$work/cert.pem" --local-port "$2" "$3" --output "$work/$1.body" "$4$events" &
  pids+=($!)
  last=$!
}
kept() { # connections to the upstream
  ss -Htn state established "dport = :${upstream##*:}" | wc -l
}
upstream=${upstream%/}
failed=0
try() { # name, version, URL, local port
  local before
  stream dead "$4" "$2" "$3"
  stream alive $(($4 + 1)) "$2" "$3"
  local alive=$last
  for _ in $(seq 100); do
    before=$(kept)
    [ "$before" -lt 2 ] || break
    sleep 0.1
  done
  sleep 2
  [ "$before" -eq 2 ] || die "$1: $before connections to the upstream in place of 2."
  iptables -I INPUT -p tcp --sport "$4" -j DROP
  iptables -I INPUT -p tcp --dport "$4" -j DROP
  local start=$SECONDS
  while [ "$(kept)" -gt 1 ] && [ $((SECONDS - start)) -le $((limit + slack)) ]; do sleep 0.2; done
  local took=$((SECONDS - start)) verdict=ok size
  size=$(stat -c %s "$work/alive.body")
  sleep 1
  if [ "$took" -gt $((limit + slack)) ] || [ "$took" -lt $((limit - 1)) ]; then verdict=FAILED; fi
  if ! kill -0 "$alive" 2>/dev/null || [ "$(stat -c %s "$work/alive.body")" -le "$size" ]; then verdict="FAILED, the other client was cut"; fi
  echo "$1: the dead client was kept for $took s, with a limit of $limit s: $verdict"
  [ "$verdict" = ok ] || failed=1
  iptables -F INPUT
  kill "$alive" 2>/dev/null || true
  while [ "$(kept)" -gt 0 ] && [ $((SECONDS - start)) -le $((limit + slack + 10)) ]; do sleep 0.2; done
}
expose plain --plain
try "HTTP/1.1 in cleartext" --http1.1 "$uri" 23401
expose tls --cert "$work/cert.pem" --key "$work/key.pem"
try "HTTP/2" --http2 "$uri" 23403
exit $failed
