#!/usr/bin/env bash
# A proxy that serves, under traffic, while its CAs refuse connections, hang, answer 429 with Retry-After, answer 500, send malformed JSON and hand out a bad chain: no
# request fails, each attempt comes at its time and is one event, each fault is one WARN line, and when the CAs are well every certificate is renewed.
# Waits are those of the library: about 4 minutes. Ends with 1 when anything is otherwise.
#
# Options by environment: JAR, JAVA (java), PEBBLE, CHALLTESTSRV.
set -euo pipefail
cd "$(dirname "$0")/../tools"
# shellcheck source=common.sh
. ./common.sh
# shellcheck source=pebble.sh
. ./pebble.sh
need openssl curl python3 "$pebble" "$challtestsrv"
mkdir "$work/classes" "$work/run"
"${java%java}javac" -cp "$jar" -d "$work/classes" Traffic.java FaultyCa.java CaFaults.java
"$java" -jar "$jar" service >"$work/service.out" 2>"$work/service.err" &
pids+=($!)
ready $! service
pebble_start PEBBLE_WFE_NONCEREJECT=0
openssl pkcs12 -export -in "$ca_pem" -inkey "$work/ca-web.key" -passout pass:changeit -out "$work/ca-web.p12"
status=0
"$java" -Djdk.httpclient.allowRestrictedHeaders=host -cp "$jar:$work/classes" CaFaults "$uri" "$directory" "$ca_pem" "$work/ca-web.p12" "$ca_root" \
  "$work/run" "$http_port" "$https_port" 2>"$work/faults.err" || status=1
grep -vE ' (INFO|DEBUG|WARN) ' "$work/faults.err" | head -n 5 || true
exit "$status"
