#!/usr/bin/env bash
# The public side of a tunnel under agents and clients that mean no good: an agent that is written from the protocol's description replays, guesses and delays tokens, presents
# those of another agent, redeems one 1,000 times at once, announces what it may not, and sends garbage, slowly, or nothing; ClientHellos come split at every byte; thousands of
# connections say nothing. Each is one line, `ok` or `FAILED`. Meanwhile a client of a good agent must lose no connection. Ends with 1 when one failed or was left out.
#
# Options by environment: SILENT (10000; connections without a word), EVERY (100; milliseconds between the good client's connections), CASES (an expression for their names, such as curl|http2.*; all), JAR,
# JAVA (java), JAVA_OPTS (of the proxies).
# shellcheck disable=SC2034,SC2154 # functions and variables are used by name
set -uo pipefail
cd "$(dirname "$0")/../tools" || exit 1
# shellcheck source=common.sh
. ./common.sh
# shellcheck source=tunnel-common.sh
. ./tunnel-common.sh
need openssl python3
ulimit -n "$(ulimit -Hn)"
helper=$PWD/programs/tunnel_agent.py
mkdir -p "$work/said" "$work/classes"

launch pid echo python3 programs/one_port.py echo "$work/echo.log"
ready "$pid" echo
echo=$uri
agent alice --names "*.a.$domain"
agent mallory --names "*.m.$domain"
agent bob --names "bob.$domain"
public_proxy public 0 --bind 127.0.0.1
public=$pid one=$port
private_proxy bob bob "127.0.0.1:$one" --announce "bob.$domain=127.0.0.1:$echo"
"${java%java}javac" -d "$work/classes" TunnelProbe.java
"$java" "${quick[@]}" -cp "$work/classes" TunnelProbe 127.0.0.1 "$one" "bob.$domain" "$work/good.probe" "${EVERY:-100}" 3 2>"$work/probe.err" &
probe=$!
pids+=($!)

run() { # name, command…
  if [[ $1 =~ ^(${CASES:-.*})$ ]]; then alone "$@"; fi
}
by_agent() { timeout 120 python3 "$helper" "$1" "$one" "$keys" "$agents" "${@:2}"; }
sleep 5
told_usage public "$public"
before_descriptors=$descriptors before_threads=$threads before_heap=$heap
run one-of-1000 by_agent redeem
run guessed by_agent guessed
run expired by_agent expired
run other-agent by_agent other-agent
run silent-agent by_agent silent-agent
run announcements by_agent announcements
run frames by_agent frames
run mute by_agent mute
python3 programs/tunnel.py hello "bob.$domain" >"$work/hello"
split() { timeout 300 python3 programs/one_port.py split "$one" "$work/hello" echo; }
run split-hello split
run without-a-word by_agent words "${SILENT:-10000}"

good() {
  touch "$work/good.probe.stop"
  wait "$probe"
  local all bad broken
  all=$(grep -c '^new ' "$work/good.probe")
  bad=$(grep -c '^new .* [0-9]* [^o]' "$work/good.probe")
  broken=$(grep -c '^held ' "$work/good.probe")
  grep '^new' "$work/good.probe" | grep -v ' ok$' | head -n 2
  grep '^held' "$work/good.probe" | head -n 2
  echo "$all connections of a good client, $bad failed, $broken held ones broke, p99 $(awk '$1 == "new" { print $3 - $2 }' "$work/good.probe" | sort -n | awk '{ a[NR] = $1 } END { print a[int(NR * 0.99)] }') ms"
  [ "$all" -gt 50 ] && [ "$bad" -eq 0 ] && [ "$broken" -eq 0 ]
}
run bystander good
back() {
  sleep 65
  usage "$public"
  echo "$descriptors descriptors for $before_descriptors, $threads threads for $before_threads, heap $heap KiB for $before_heap KiB"
  [ "$descriptors" -le "$before_descriptors" ] && [ "$threads" -le $((before_threads + 5)) ] && [ "$heap" -le $((before_heap + 4096)) ]
}
run nothing-is-left back
nothing_thrown() { same "$(complaints "$work/public.err" "$work/bob.err")" ''; }
run logs nothing_thrown
echo "$ran ran, $failed failed"
[ "$failed" -eq 0 ] && { [ "$ran" -eq 13 ] || [ -n "${CASES:-}" ]; }
