#!/usr/bin/env bash
# Floods of HTTP/2 frames against the demo, one kind after the other, each by one connection after the other, while a good client asks: prints
# how the floods were ended, the good client's errors and times, and the proxy's heap after a collection, before and after. Ends with 1 when the good
# client sees an error or waits longer, or when a flood couldn't be sent.
#
# Options by environment: SECONDS_EACH (5), KINDS, JAR, JAVA (java), JAVA_OPTS (of the proxy).
set -euo pipefail
cd "$(dirname "$0")/../tools"
# shellcheck source=common.sh
. ./common.sh
need openssl jcmd

kinds=${KINDS:-rapid-reset made-you-reset ping settings empty-data priority window-update continuation hpack-bomb streams zero-window}

certificate
"$java" -jar "$jar" service >"$work/service.out" 2>"$work/service.err" &
pids+=($!)
ready $! service
# shellcheck disable=SC2086 # options are words
"$java" ${JAVA_OPTS:-} -jar "$jar" expose --to "$uri" --external-port 0 --bind 127.0.0.1 \
  --cert "$work/cert.pem" --key "$work/key.pem" >"$work/proxy.out" 2>"$work/proxy.err" &
pid=$!
pids+=("$pid")
ready "$pid" proxy

heap() { # in KB, after a collection
  jcmd "$pid" GC.run >/dev/null
  jcmd "$pid" GC.heap_info | sed -n 's/.* used \([0-9]*\)K.*/\1/p' | head -n 1
}
descriptors() {
  local all=("/proc/$pid/fd/"*)
  echo "${#all[@]}"
}
failed=0
for kind in $kinds; do
  before=$(heap)
  open=$(descriptors)
  timeout 120 "$java" Http2Floods.java "$uri" "$kind" "${SECONDS_EACH:-5}" || failed=1
  during=$(heap)
  sleep 3
  echo "  heap before $before KB, right after $during KB, 3 s later $(heap) KB; descriptors $open, $(descriptors)"
done
grep -E '^[^ ]+ (WARN|ERROR) ' "$work/proxy.err" | head -n 5 || true
exit "$failed"
