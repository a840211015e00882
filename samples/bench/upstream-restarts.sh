#!/usr/bin/env bash
# Upstreams that are killed (SIGKILL) and started again, one at a time, under load of GETs and POSTs: no GET may fail, no POST may be executed
# twice, and one that is back must get requests again within the 10 s for which it is passed over. Ends with 1 otherwise.
#
# Options by environment: ROUNDS (20), SCHEME (http, or h2c: then Python with its h2 is needed), JAR, JAVA (java).
set -euo pipefail
cd "$(dirname "$0")"
# shellcheck source=common.sh
. ./common.sh
rounds=${ROUNDS:-20}
scheme=${SCHEME:-http}
[ "$scheme" = http ] || python3 -c 'import h2' 2>/dev/null || die "Python's h2 is needed and not installed."
mkdir "$work/classes"
"${java%java}javac" -d "$work/classes" Restarts.java
declare -A upstream port
run() { # name: starts it on its port
  if [ "$scheme" = http ]; then
    "$java" -Xmx64m -XX:TieredStopAtLevel=1 -cp "$work/classes" Restarts upstream "${port[$1]:-0}" "$work/$1.executed" >"$work/$1.out" 2>"$work/$1.err" &
  else
    python3 programs/restarts_http2.py "${port[$1]:-0}" "$work/$1.executed" >"$work/$1.out" 2>"$work/$1.err" &
  fi
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
"$java" -Xmx128m -jar "$jar" expose --to "$scheme://127.0.0.1:${port[a]}" --to "$scheme://127.0.0.1:${port[b]}" --to "$scheme://127.0.0.1:${port[c]}" \
  --external-port 0 --bind 127.0.0.1 --plain >"$work/proxy.out" 2>"$work/proxy.err" &
pids+=($!)
ready $! proxy
"$java" -Xmx256m -cp "$work/classes" Restarts load "$uri" "$work/stop" "$work"/{a,b,c}.executed >"$work/load.out" 2>&1 &
load=$!
sleep 3
back=()
late=0
for round in $(seq "$rounds"); do
  name=$(cut -c $((round % 3 + 1)) <<<abc)
  kill -9 "${upstream[$name]}"
  wait "${upstream[$name]}" 2>/dev/null || true
  sleep 0.5
  before=$(stat -c %s "$work/$name.executed")
  since=$(date +%s%N)
  run "$name"
  while [ "$(stat -c %s "$work/$name.executed")" -eq "$before" ] && [ $(($(date +%s%N) - since)) -lt 30000000000 ]; do
    sleep 0.05
  done
  millis=$((($(date +%s%N) - since) / 1000000))
  back+=("$millis")
  # 10 s, and what it takes to start and to look
  [ "$millis" -le 11000 ] || late=1
  sleep 0.5
done
touch "$work/stop"
wait "$load" && status=0 || status=1
echo "$rounds kills: $(cat "$work/load.out")"
echo "gets requests again after (ms): ${back[*]}"
[ "$late" -eq 0 ] || status=1
[ "$status" -eq 0 ] && echo ok || echo "NOT OK"
exit "$status"
