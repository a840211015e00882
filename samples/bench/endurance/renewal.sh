#!/usr/bin/env bash
# A proxy whose certificates of Pebble live for less than a minute, and are renewed under traffic: nothing that a client asks for fails, no stream ends,
# and a session of before is resumed behind each renewal. Ends with 1 otherwise.
#
# Options by environment: RENEWALS (3), VALIDITY of a certificate in seconds (36), SECONDS_AT_MOST (180), JAR, JAVA (java), PEBBLE, CHALLTESTSRV.
set -euo pipefail
cd "$(dirname "$0")/../tools"
# shellcheck source=common.sh
. ./common.sh
# shellcheck source=pebble.sh
. ./pebble.sh
need openssl curl python3 "$pebble" "$challtestsrv"
export VALIDITY=${VALIDITY:-36}
mkdir "$work/classes" "$work/run"
"${java%java}javac" -cp "$jar" -d "$work/classes" Traffic.java Renewal.java
"$java" -jar "$jar" service >"$work/service.out" 2>"$work/service.err" &
pids+=($!)
ready $! service
pebble_start PEBBLE_WFE_NONCEREJECT=5
status=0
"$java" -cp "$jar:$work/classes" Renewal "$uri" "$directory" "$ca_pem" "$ca_root" "$work/run" "$http_port" "$https_port" "${RENEWALS:-3}" \
  "${SECONDS_AT_MOST:-180}" 2>"$work/renewal.err" || status=1
grep -vE ' (INFO|DEBUG) ' "$work/renewal.err" | head -n 5 || true
exit "$status"
