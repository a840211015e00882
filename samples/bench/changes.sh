#!/usr/bin/env bash
# A server whose certificate and routes change 1000 times under load, and one that closes under load, 20 times: no handshake fails, no stream of a
# route that stays ends, nothing in flight is lost. Ends with 1 otherwise. TIMES and CLOSES say how often.
set -euo pipefail
cd "$(dirname "$0")"
# shellcheck source=common.sh
. ./common.sh
need openssl
for name in a b; do
  certificate
  mv "$work/cert.pem" "$work/$name.pem"
  mv "$work/key.pem" "$work/$name.key"
done
"$java" -jar "$jar" service >"$work/service.out" 2>"$work/service.err" &
pids+=($!)
ready $! service
status=0
"$java" -Dorg.jboss.logging.provider=slf4j -cp "$jar" Changes.java swaps "$uri" "$work" "${TIMES:-1000}" >"$work/swaps" 2>"$work/swaps.err" || status=1
tail -n 1 "$work/swaps"
grep -vE ' (INFO|DEBUG) ' "$work/swaps.err" | head -n 5 || true
"$java" -Dorg.jboss.logging.provider=slf4j -cp "$jar" Changes.java closes "$uri" "$work" "${CLOSES:-20}" >"$work/closes" 2>"$work/closes.err" || status=1
tail -n 1 "$work/closes"
grep -vE ' (INFO|DEBUG) ' "$work/closes.err" | head -n 5 || true
exit "$status"
