#!/usr/bin/env bash
# Certificates ordered of Pebble, which rejects half of all nonces, then nine tenths: 100 by each kind of challenge, for wildcards, for IP addresses,
# with external account binding, and with authorisations that are always and never used again. Every one has to be issued.
#
# Options by environment: COUNT (100), JAR, JAVA (java), PEBBLE, CHALLTESTSRV.
set -euo pipefail
cd "$(dirname "$0")/../tools"
# shellcheck source=common.sh
. ./common.sh
# shellcheck source=pebble.sh
. ./pebble.sh
need openssl curl python3 "$pebble" "$challtestsrv"
count=${COUNT:-100}
[ "$count" -ge 5 ] || die "COUNT: $count (expected: 5 or more; a fifth of it is ordered while nine tenths of the nonces are rejected)"
mkdir "$work/classes"
"${java%java}javac" -cp "$jar" -d "$work/classes" AcmeOrders.java
failed=0
orders() { # nonces rejected in percent, authorisations used again in percent, kind, count, seconds, account…
  local storage
  storage=$(mktemp -d -p "$work")
  pebble_start PEBBLE_WFE_NONCEREJECT="$1" PEBBLE_AUTHZREUSE="$2"
  printf '%s %% of nonces rejected, %s %% of authorisations used again: ' "$1" "$2"
  "$java" -cp "$jar:$work/classes" AcmeOrders "$3" "$4" "$5" "$directory" "$ca_pem" "$storage" "$http_port" "$https_port" "$dns_port" \
    "$dns_management" "${@:6}" 2>"$work/orders.err" || {
    failed=1
    tail -n 3 "$work/orders.err"
  }
  kill "$pebble_pid"
}
for kind in http tls dns; do
  orders 50 0 "$kind" "$count" 300
done
for kind in http tls dns; do
  orders 90 0 "$kind" "$((count / 5))" 600
done
orders 5 0 wildcard 10 120
orders 5 0 ip 4 120
orders 5 100 http 20 120
EAB=true orders 5 0 tls 5 120 kid-1 zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W
[ "$failed" -eq 0 ] && echo ok || echo "NOT OK"
exit "$failed"
