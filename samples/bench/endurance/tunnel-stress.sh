#!/usr/bin/env bash
# Many requests through a public and a private proxy with default limits, each on a new connection, 25 at a time: none is lost, and afterwards descriptors, threads
# and heap of both are back where they were and neither uses CPU time. Then the same by curl and GNU parallel. Ends with 1 otherwise.
#
# Options by environment: REQUESTS (500000), TOGETHER (25), CURLS (20000; how many by parallel and curl, 0 for none), WARMUP (5000; requests before the first
# look), SLACK (4096; KiB that a heap may grow), JAR, JAVA (java), JAVA_OPTS (of both proxies).
# shellcheck disable=SC2034,SC2154 # functions and variables are used by name
set -euo pipefail
cd "$(dirname "$0")/../tools"
# shellcheck source=common.sh
. ./common.sh
# shellcheck source=tunnel-common.sh
. ./tunnel-common.sh
PATH=$PATH:/usr/sbin:/sbin
need openssl nginx curl
requests=${REQUESTS:-500000} together=${TOGETHER:-25} curls=${CURLS:-20000}
[ "$curls" -eq 0 ] || need parallel
ulimit -n "$(ulimit -Hn)"
status=0

inner_server
inner=$port
listens "$inner" "$work/nginx-error.log"
agent alice --names "*.$domain"
public_proxy public 0 --bind 127.0.0.1
public=$pid one=$port
private_proxy private alice "127.0.0.1:$one" --announce "test.$domain=127.0.0.1:$inner"
private=$pid
mkdir "$work/classes"
"${java%java}javac" -d "$work/classes" TunnelLoad.java
load() { "$java" -cp "$work/classes" TunnelLoad "$one" "test.$domain" "$work/root.crt" "$1" "$together" '{"message": "success"}'; }

declare -A before
look() { # before or after: for both processes
  local side
  for side in public private; do
    told_usage "$side" "${!side}"
    if [ "$1" = before ]; then
      before[$side]="$descriptors $threads $heap $ticks"
      continue
    fi
    read -r d t h c <<<"${before[$side]}"
    echo "  $side: $(((ticks - c) * 1000000 / $(getconf CLK_TCK) / (requests + curls))) µs of CPU time for each connection"
    # ready connections may still be there, and threads that the JVM starts when it likes
    if [ "$descriptors" -gt $((d + 20)) ] || [ "$threads" -gt $((t + 5)) ] || [ "$heap" -gt $((h + ${SLACK:-4096})) ]; then
      echo "  $side: FAILED: not back where it was"
      status=1
    fi
    local from=$ticks
    sleep 5
    usage_ticks=$(awk '{ sub(/.*\) /, ""); print $12 + $13 }' "/proc/${!side}/stat")
    echo "  $side: $(((usage_ticks - from) * 100 / 5 / $(getconf CLK_TCK))) % of a processor when idle"
    if [ $((usage_ticks - from)) -gt $((5 * $(getconf CLK_TCK) / 20)) ]; then
      echo "  $side: FAILED: it isn't idle"
      status=1
    fi
  done
}

load "${WARMUP:-5000}" >"$work/warmup" || die "the first requests are lost already: $(head -n 3 "$work/warmup")"
sleep 70 # ready connections are given up in between, and what is remembered of them
echo "before:"
look before
load "$requests" || status=1
if [ "$curls" -gt 0 ]; then
  from=$(date +%s%N)
  # the user's own line
  seq "$curls" | parallel -n0 -j "$together" "curl --silent --cacert $work/root.crt --resolve test.$domain:$one:127.0.0.1 https://test.$domain:$one/jsonrpc; echo" >"$work/answers" || status=1
  got=$(grep -cxF '{"message": "success"}' "$work/answers" || true)
  echo "$curls by parallel and curl in $((($(date +%s%N) - from) / 1000000000)) s: $((curls - got)) lost"
  [ "$got" -eq "$curls" ] || status=1
fi
sleep 70
echo "after:"
look after
if complaints "$work/public.err" "$work/private.err" | grep .; then status=1; fi
[ "$requests" -gt 0 ] || status=1
exit "$status"
