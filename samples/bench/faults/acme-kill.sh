#!/usr/bin/env bash
# Kills a proxy (SIGKILL) that obtains a certificate of Pebble, at another moment of the order each time. After each kill what is stored has to be a key with
# its own certificate, or none; a start that finds one has to serve it and to order nothing. Ends with 1 otherwise.
#
# Options by environment: ROUNDS (100), JAR, JAVA (java), PEBBLE, CHALLTESTSRV.
set -euo pipefail
cd "$(dirname "$0")/../tools"
# shellcheck source=common.sh
. ./common.sh
# shellcheck source=pebble.sh
. ./pebble.sh
need openssl curl python3 "$pebble" "$challtestsrv"
rounds=${ROUNDS:-100}
pebble_start PEBBLE_WFE_NONCEREJECT=5
storage=$work/storage

proxy() { # starts it: sets $pid
  "$java" -XX:TieredStopAtLevel=1 -jar "$jar" expose --to http://127.0.0.1:9 --external-port "$https_port" --bind 127.0.0.1 --acme host.example.com \
    --accept-terms --acme-directory "$directory" --acme-ca "$ca_pem" --acme-storage "$storage" >"$work/proxy.out" 2>"$work/proxy.err" &
  pid=$!
}
stored() { { find "$storage"/*/certificates -type f ! -name '.*' 2>/dev/null || true; } | head -n 1; }
orders() { grep -c 'There are now .* orders in the db' "$work/pebble.log" || true; }
matches() { # file: that both can be read, and belong together
  local key
  key=$(openssl pkey -in "$1" -pubout 2>/dev/null) && [ -n "$key" ] && [ "$key" = "$(openssl x509 -in "$1" -noout -pubkey 2>/dev/null)" ]
}

broken=0 pairs=0 nothing=0 begun=0 again=0
for round in $(seq "$rounds"); do
  had=$(stored)
  before=$(orders)
  proxy
  pids+=("$pid")
  ready "$pid" proxy
  if [ -n "$had" ]; then
    shown=$(timeout 10 openssl s_client -connect "127.0.0.1:$https_port" -servername host.example.com </dev/null 2>/dev/null | openssl x509 -noout -serial 2>/dev/null || true)
    [ -n "$shown" ] && [ "$shown" = "$(openssl x509 -in "$had" -noout -serial 2>/dev/null || true)" ] || {
      echo "round $round: what is stored isn't served"
      broken=1
    }
    sleep 0.5
    [ "$(orders)" -eq "$before" ] || {
      echo "round $round: ordered again although there is a certificate"
      broken=1
    }
    again=$((again + 1))
  else
    begun=$((begun + 1))
    # spread evenly over the time an order takes here
    spread=$((round * 377 % 2000))
    sleep "$((spread / 1000)).$(printf %03d $((spread % 1000)))"
  fi
  kill -9 "$pid"
  wait "$pid" 2>/dev/null || true
  now=$(stored)
  if [ -z "$now" ]; then
    nothing=$((nothing + 1))
  elif matches "$now"; then
    pairs=$((pairs + 1))
    # the next round begins anew, after one that has started with it
    [ -z "$had" ] || rm -r "$storage"
  else
    echo "round $round: key and certificate don't match"
    broken=1
  fi
done
echo "$rounds kills: $begun while a certificate was being obtained, $again with one at hand; then $pairs matching pairs, $nothing without one; $(orders) orders"
[ "$pairs" -gt 0 ] && [ "$again" -gt 0 ] && [ "$nothing" -gt 0 ] || {
  echo "some kind of kill never happened: this shows nothing"
  broken=1
}
[ "$broken" -eq 0 ] && echo ok || echo "NOT OK"
exit "$broken"
