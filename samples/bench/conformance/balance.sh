#!/usr/bin/env bash
# How each policy spreads 10,000 requests over four upstreams; whether the same client address goes to the same upstream, and who moves when one is
# removed; and the latencies with one slow upstream of three: leastConnections must beat roundRobin at the 99th percentile. SECONDS_EACH (8) says for how long each
# policy is measured. Ends with 1 when it isn't so, or a request fails.
set -euo pipefail
cd "$(dirname "$0")/../tools"
# shellcheck source=common.sh
. ./common.sh
need
status=0
for part in spread slow; do
  "$java" -Dorg.jboss.logging.provider=slf4j -cp "$jar" Balance.java "$part" "${SECONDS_EACH:-8}" 2>"$work/$part.err" || status=1
  grep -vE ' (INFO|DEBUG) ' "$work/$part.err" | head -n 5 || true
done
exit "$status"
