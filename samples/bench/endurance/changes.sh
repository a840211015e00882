#!/usr/bin/env bash
# A server whose certificate and routes change 1000 times under load; one whose routes, upstreams, limits and endpoints do, 1000 times beside wrk; and one that
# closes under load, 100 times: no handshake and no request fails, no stream of a route that stays ends, nothing in flight is lost. Ends with 1 otherwise.
# TIMES and CLOSES say how often, MODES which of "swaps updates closes".
set -euo pipefail
cd "$(dirname "$0")/../tools"
# shellcheck source=common.sh
. ./common.sh
need openssl wrk
for name in a b; do
  certificate
  mv "$work/cert.pem" "$work/$name.pem"
  mv "$work/key.pem" "$work/$name.key"
done
"$java" -jar "$jar" service >"$work/service.out" 2>"$work/service.err" &
pids+=($!)
ready $! service
status=0
for mode in ${MODES:-swaps updates closes}; do
  times=${TIMES:-1000}
  [ "$mode" != closes ] || times=${CLOSES:-100}
  "$java" -Dorg.jboss.logging.provider=slf4j -cp "$jar" Changes.java "$mode" "$uri" "$work" "$times" >"$work/$mode" 2>"$work/$mode.err" || status=1
  tail -n 1 "$work/$mode"
  grep -vE ' (INFO|DEBUG) ' "$work/$mode.err" | head -n 20 || true
done
exit "$status"
