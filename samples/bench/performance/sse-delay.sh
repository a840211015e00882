#!/usr/bin/env bash
# How much later an event arrives through the proxy than straight from the upstream, over HTTP/1.1 and HTTP/2: one stream each, side by
# side. Less than 2 ms have to be added at the median, and every event has to arrive. Ends with 1 otherwise.
#
# Options by environment: EVENTS (1000), EVERY (20; milliseconds between two), JAR, JAVA (java), JAVA_OPTS (of the proxy).
set -euo pipefail
cd "$(dirname "$0")/../tools"
# shellcheck source=common.sh
. ./common.sh
need curl openssl

certificate
"$java" Upstream.java >"$work/upstream.out" 2>"$work/upstream.err" &
pids+=($!)
ready $! upstream
upstream=$uri
# shellcheck disable=SC2086 # options are words
"$java" ${JAVA_OPTS:-} -jar "$jar" expose --to "$upstream" --external-port 0 --bind 127.0.0.1 \
  --cert "$work/cert.pem" --key "$work/key.pem" >"$work/proxy.out" 2>"$work/proxy.err" &
pids+=($!)
ready $! proxy
# What the first requests load would count as lateness.
for version in --http1.1 --http2; do
  curl --silent "$version" --cacert "$work/cert.pem" --max-time 30 --fail-early --output /dev/null \
    "${uri}warm-up?type=text/event-stream&pieces=3&every=1&n=[1-500]" || die "the proxy doesn't answer: curl's exit status $?"
done
"$java" SseDelay.java "$uri" "$work/cert.pem" "$upstream" "${EVENTS:-1000}" "${EVERY:-20}"
