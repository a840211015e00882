#!/usr/bin/env bash
# Certificates of Pebble for a private side that listens on nothing which the CA could reach: TLS-ALPN-01 by the tunnel's names, HTTP-01 by a port of the public side. Each name
# is then asked for through the tunnel, by curl, which trusts the CA's root alone: the certificate is Pebble's, and the service is told curl's address. Then the public
# side is killed in the middle of an order, and started again. Ends with 1 when a certificate isn't issued, an order fails, or an answer is another.
#
# Options by environment: COUNT (5; names for each kind), SECONDS_AT_MOST (150), JAR, JAVA (java), PEBBLE, CHALLTESTSRV.
# shellcheck disable=SC2154 # sourced
set -euo pipefail
cd "$(dirname "$0")/../tools"
# shellcheck source=common.sh
. ./common.sh
# shellcheck source=pebble.sh
. ./pebble.sh
# shellcheck source=tunnel-common.sh
. ./tunnel-common.sh
need openssl curl python3 "$pebble" "$challtestsrv"
count=${COUNT:-5}
mkdir "$work/classes"
"${java%java}javac" -cp "$jar" -d "$work/classes" TunnelAcme.java
pebble_start PEBBLE_WFE_NONCEREJECT=5
public_options="$https_port --bind 127.0.0.1"

names() { # kind: COUNT names
  for i in $(seq "$count"); do echo "$1-$i.example.com"; done
}

ordered() { # kind, seconds: a private side of its own agent, in the background; its process id goes into $pid
  local all
  mapfile -t all < <(names "$1")
  free_port
  launch pid "$1" "$java" -cp "$jar:$work/classes" TunnelAcme "$1" "$2" "$directory" "$ca_pem" "$(mktemp -d -p "$work")" "127.0.0.1:$https_port" "$identity" \
    "$keys/$1" "$http_port" "$port" "${all[@]}"
}

issued() { # kind, process id: waits until all are, and asks for each through the tunnel
  for _ in $(seq "${SECONDS_AT_MOST:-150}"); do
    ! grep -q '^ready' "$work/$1.out" || break
    kill -0 "$2" 2>/dev/null || break
    sleep 1
  done
  grep -q '^ready' "$work/$1.out" || { cat "$work/$1.out"; tail -n 5 "$work/$1.err"; return 1; }
  for name in $(names "$1"); do
    same "$(curl --silent --show-error --max-time 10 --cacert "$ca_root" --resolve "$name:$https_port:127.0.0.1" "https://$name:$https_port/")" "client 127.0.0.1" || return 1
  done
  grep issued "$work/$1.out"
}

without_failures() { # kind
  grep -q 'failures {}' "$work/$1.out"
}

all_of() { # kind: names separated by commas
  names "$1" | paste -s -d,
}

agent tls --names "$(all_of tls)"
agent http --names "$(all_of http)" --ports "$http_port"
agent late --names "$(all_of late)"
# shellcheck disable=SC2086 # options are words
public_proxy public $public_options
public=$pid

tls() {
  ordered tls "${SECONDS_AT_MOST:-150}"
  issued tls "$pid" && without_failures tls
}

http() {
  ordered http "${SECONDS_AT_MOST:-150}"
  issued http "$pid" && without_failures http
}

# with a public side that is killed and started while the order is under way; that it fails once is no failure
killed() {
  ordered late "${SECONDS_AT_MOST:-150}"
  local private=$pid
  for _ in $(seq 200); do
    ! grep -q 'late-' "$work/pebble.log" || break
    sleep 0.05
  done
  kill -KILL "$public"
  # shellcheck disable=SC2086 # options are words
  public_proxy public2 $public_options
  issued late "$private"
}

# functions change variables: not in subshells
mkdir -p "$work/said"
for step in tls http killed; do
  from=$(date +%s%N)
  "$step" >"$work/said/$step" 2>&1 && result=ok || result=FAILED
  told "$step" "$result" $((($(date +%s%N) - from) / 1000000))
done
thrown=$(complaints "$work"/*.err || true)
[ -z "$thrown" ] || { echo "$thrown"; failed=$((failed + 1)); }
[ "$failed" -eq 0 ] && echo ok || echo "NOT OK"
[ "$failed" -eq 0 ]
