#!/usr/bin/env bash
# Upstreams that are killed (SIGKILL) and started again, one at a time, under load of GETs and POSTs: no GET may fail, no POST may be executed
# twice.
#
# Options by environment: ROUNDS (20), JAR, JAVA (java).
set -euo pipefail
cd "$(dirname "$0")"
# shellcheck source=common.sh
. ./common.sh
rounds=${ROUNDS:-20}
mkdir "$work/classes"
"${java%java}javac" -d "$work/classes" Restarts.java
declare -A upstream port
run() { # name: starts it on its port
  "$java" -Xmx64m -XX:TieredStopAtLevel=1 -cp "$work/classes" Restarts upstream "${port[$1]:-0}" "$work/$1.executed" >"$work/$1.out" 2>"$work/$1.err" &
  upstream[$1]=$!
  pids+=($!)
  ready $! "$1"
  port[$1]=${uri##*:}
  port[$1]=${port[$1]%/}
}
for name in a b c; do
  run "$name"
  : >"$work/$name.executed"
done
"$java" -Xmx128m -jar "$jar" expose --to "http://127.0.0.1:${port[a]}" --to "http://127.0.0.1:${port[b]}" --to "http://127.0.0.1:${port[c]}" \
  --external-port 0 --bind 127.0.0.1 --plain >"$work/proxy.out" 2>"$work/proxy.err" &
pids+=($!)
ready $! proxy
"$java" -Xmx256m -cp "$work/classes" Restarts load "$uri" $((rounds * 2 + 5)) "$work"/{a,b,c}.executed >"$work/load.out" 2>&1 &
load=$!
sleep 3
for round in $(seq "$rounds"); do
  name=$(cut -c $((round % 3 + 1)) <<<abc)
  kill -9 "${upstream[$name]}"
  wait "${upstream[$name]}" 2>/dev/null || true
  sleep 0.5
  run "$name"
  sleep 0.5
done
wait "$load" && status=0 || status=1
echo "$rounds kills: $(cat "$work/load.out")"
[ "$status" -eq 0 ] && echo ok || echo "NOT OK"
exit "$status"
