#!/usr/bin/env bash
# An upstream of HTTP/2 that does harm, by frames made by hand: floods of each kind of frame, bad HPACK, lengths that don't fit, resets, GOAWAY, heads that never end, windows and streams that it doesn't give. 16 clients ask it
# through the proxy without a pause, while a good client asks another upstream of the same proxy.
#
# For each kind: how the requests ended, and the good client's times without and beside them. Ends with 1 if the good client sees an error, or its 99th percentile is above twice what it was, or 50 ms more if that is larger; if
# no request met the upstream; if the proxy logs an error; or if it holds more descriptors or 32 MB more heap in the end. A kind that harms the good client is tried once more.
#
# Options by environment: KINDS (names; default: all), SECONDS_EACH (5), SECONDS_ALONE (3), JAR, JAVA (java), JAVA_OPTS.
set -euo pipefail
cd "$(dirname "$0")/../tools"
# shellcheck source=common.sh
. ./common.sh
need python3 openssl jcmd
seconds=${SECONDS_EACH:-5}
certificate
mkdir "$work/classes"
"${java%java}javac" -d "$work/classes" Bystander.java
"$java" -jar "$jar" service >"$work/service.out" 2>"$work/service.err" &
pids+=($!)
ready $! service
service=$uri
python3 programs/hostile_upstream.py serve >"$work/hostile.out" 2>"$work/hostile.err" &
pids+=($!)
ready $! hostile
routes=() kinds=()
for one in $uri; do
  kinds+=("${one%=*}")
  routes+=(--route "/${one%=*}/=h2c://127.0.0.1:${one#*=}")
done
# shellcheck disable=SC2086 # options are words
"$java" -XX:+UseSerialGC -Xmx256m ${JAVA_OPTS:-} -jar "$jar" expose --plain --to "$service" "${routes[@]}" --external-port 0 --bind 127.0.0.1 >"$work/proxy.out" 2>"$work/proxy.err" &
pid=$!
pids+=("$pid")
ready "$pid" proxy
proxy=${uri%/}

state() { # live heap in KB, descriptors
  jcmd "$pid" GC.run >/dev/null
  jcmd "$pid" GC.heap_info | awk '/ total .* used / { sub(/.*used /, ""); sum += $1 } END { printf "%d ", sum }'
  find "/proc/$pid/fd" -mindepth 1 | wc -l
}
# a JVM that has compiled nothing yet is no rule's matter
"$java" -Xmx64m -cp "$work/classes" Bystander "$proxy/" "$work/cert.pem" 5 1 >/dev/null 2>&1 || true
python3 programs/hostile_upstream.py clients "$proxy/resets/" 2 >/dev/null
read -r -a before <<<"$(state)"
failed=0
meet() { # kind: whether the good client was unharmed
  : >"$work/bystander.out"
  "$java" -Xmx64m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$work/classes" Bystander "$proxy/" "$work/cert.pem" "${SECONDS_ALONE:-3}" "$seconds" >"$work/bystander.out" 2>&1 &
  local bystander=$! ended verdict=ok
  until grep -q '^alone' "$work/bystander.out"; do
    kill -0 "$bystander" 2>/dev/null || die "the good client has ended: $(head -n 3 "$work/bystander.out")"
    sleep 0.1
  done
  ended=$(timeout 60 python3 programs/hostile_upstream.py clients "$proxy/$1/" "$seconds")
  wait "$bystander" || verdict="NOT OK"
  [[ $ended != 0* ]] || verdict="NOT OK"
  printf '%-20s %s; %s\n' "$1" "$verdict" "$ended"
  sed 's/^/    /' "$work/bystander.out"
  [ "$verdict" = ok ]
}
for kind in ${KINDS:-${kinds[@]}}; do
  # again, if the machine had something else to do
  meet "$kind" || meet "$kind" || failed=1
done
for _ in $(seq 12); do
  read -r -a after <<<"$(state)"
  [ "${after[0]}" -gt $((before[0] + 32768)) ] || [ "${after[1]}" -gt $((before[1] + 20)) ] || break
  sleep 5
done
echo "heap ${before[0]} KB, descriptors ${before[1]} before; ${after[0]} KB, ${after[1]} after"
[ "${after[0]}" -le $((before[0] + 32768)) ] && [ "${after[1]}" -le $((before[1] + 20)) ] || failed=1
if grep -E ' ERROR |OutOfMemory' "$work/proxy.err"; then failed=1; fi
[ "$failed" -eq 0 ] && echo ok || echo "NOT OK"
exit "$failed"
