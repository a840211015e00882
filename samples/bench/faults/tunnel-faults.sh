#!/usr/bin/env bash
# A tunnel under faults. A public and a private proxy are killed and started again many times, the network between them is cut, and each is stopped and goes on. The
# private side is in a network namespace that can only dial out. Probes open new connections all the time and hold some, on four paths: by the proxy that is hurt, and by
# another public proxy and another agent. New connections must work within LIMIT ms of the recovery, at the 99th percentile; what a fault doesn't touch must
# not feel it; and in the end descriptors, threads and heap must be where they were. Ends with 1 otherwise.
#
# The recovery is when a proxy that was started says that it is ready, when the link is up, when SIGCONT is sent. How long a start takes is the JVM's; it is printed.
#
# Needs root, for namespaces; all traffic is inside of them.
#
# Options by environment: KILLS (50, of each proxy), CUTS (3), CUT (10; seconds), STOPS (1, of each proxy), STOP (60; seconds), REST (9; seconds after each recovery), LIMIT
# (5000), EVERY (100; milliseconds between new connections of a path), HELD (5), KINDS ("public private cut stop-private stop-public"), JAR, JAVA (java),
# JAVA_OPTS (of all proxies).
# shellcheck disable=SC2034,SC2154,SC2317 # functions and variables are used by name
set -euo pipefail
cd "$(dirname "$0")/../tools"
# shellcheck source=common.sh
. ./common.sh
# shellcheck source=tunnel-common.sh
. ./tunnel-common.sh
PATH=$PATH:/usr/sbin:/sbin
need openssl python3 ip iptables
[ "$(id -u)" -eq 0 ] || die "namespaces need root."
rest=${REST:-9}
status=0
outer=wp-out-$$ inner=wp-in-$$
gone() {
  stopped
  ip netns del "$outer" 2>/dev/null || true
  ip netns del "$inner" 2>/dev/null || true
}
trap gone EXIT

# ---- two hosts
ip netns add "$outer"
ip netns add "$inner"
ip -n "$outer" link set lo up
ip -n "$inner" link set lo up
ip link add o netns "$outer" type veth peer name i netns "$inner"
ip -n "$outer" addr add 10.77.0.1/24 dev o
ip -n "$inner" addr add 10.77.0.2/24 dev i
ip -n "$outer" link set o up
ip -n "$inner" link set i up
# who is inside dials out, and can't be dialled
ip netns exec "$inner" iptables -A INPUT -i i -m conntrack --ctstate NEW -j DROP
ip netns exec "$inner" iptables -P FORWARD DROP
out="ip netns exec $outer" in="ip netns exec $inner"

echo_server() { # name, namespace command: its port goes into $port
  # shellcheck disable=SC2086 # options are words
  launch pid "$1" $2 python3 programs/one_port.py echo "$work/$1.log"
  ready "$pid" "$1"
  port=$uri
}
echo_server echo-in "$in" && echo_in=$port
echo_server echo-out "$out" && echo_out=$port
if $out bash -c "exec 3<>/dev/tcp/10.77.0.2/$echo_in" 2>/dev/null; then die "the private side can be dialled."; fi

agent alice --names "alice.$domain"
agent bob --names "bob.$domain"
mkdir "$work/classes"
"${java%java}javac" -d "$work/classes" TunnelProbe.java
free_port && first_port=$port
free_port && second_port=$port
start_public() { INSIDE=$out public_proxy public "$first_port"; public=$pid; }
start_alice() { # needs no wait: it is measured
  : >"$work/private.out"
  # shellcheck disable=SC2086 # options are words
  INSIDE=$in launch pid private $in "$java" ${JAVA_OPTS:-} -jar "$jar" private-proxy --connect "10.77.0.1:$first_port,10.77.0.1:$second_port" --server "$identity" \
    --identity "$keys/alice" --announce "alice.$domain=127.0.0.1:$echo_in"
  private=$pid
}
start_public
INSIDE=$out public_proxy second "$second_port" && second=$pid
start_alice
ready "$private" private
INSIDE=$out private_proxy bob bob "127.0.0.1:$first_port,127.0.0.1:$second_port" --announce "bob.$domain=127.0.0.1:$echo_out"
bob=$pid

probes=()
probe() { # path, port, name
  # shellcheck disable=SC2086 # options are words
  $out "$java" "${quick[@]}" -cp "$work/classes" TunnelProbe 127.0.0.1 "$2" "$3.$domain" "$work/$1.probe" "${EVERY:-100}" "${HELD:-5}" 2>"$work/$1.err" &
  pids+=($!)
  probes+=($!)
}
probe alice-1 "$first_port" alice
probe alice-2 "$second_port" alice
probe bob-1 "$first_port" bob
probe bob-2 "$second_port" bob
sleep "$((rest + 8))" # that everything has been used once

declare -A before
for each in public second private bob; do
  told_usage "$each" "${!each}"
  before[$each]="${!each} $descriptors $threads $heap"
done
now() { date +%s%3N; }
fault() { # kind, paths where new connections are touched, and held ones; begun and recovered are variables
  sleep "$rest"
  echo "$1 $begun $recovered $(now) $2 $3" >>"$work/faults"
}
: >"$work/faults"
starts=()

kind_public() {
  for _ in $(seq "${KILLS:-50}"); do
    begun=$(now)
    kill -9 "$public"
    wait "$public" 2>/dev/null || true
    start_public
    recovered=$(now)
    starts+=($((recovered - begun)))
    fault public-killed alice-1,bob-1 alice-1,bob-1
  done
}
kind_private() {
  for _ in $(seq "${KILLS:-50}"); do
    begun=$(now)
    kill -9 "$private"
    wait "$private" 2>/dev/null || true
    start_alice
    ready "$private" private
    recovered=$(now)
    starts+=($((recovered - begun)))
    fault private-killed alice-1,alice-2 alice-1,alice-2
  done
}
kind_cut() {
  for _ in $(seq "${CUTS:-3}"); do
    begun=$(now)
    ip -n "$inner" link set i down
    sleep "${CUT:-10}"
    ip -n "$inner" link set i up
    recovered=$(now)
    fault network-cut alice-1,alice-2 -
  done
}
stop() { # process id, kind, paths
  for _ in $(seq "${STOPS:-1}"); do
    begun=$(now)
    kill -STOP "$1"
    sleep "${STOP:-60}"
    kill -CONT "$1"
    recovered=$(now)
    fault "$2" "$3" -
  done
}
for kind in ${KINDS:-public private cut stop-private stop-public}; do
  case $kind in
    public | private | cut) "kind_$kind" ;;
    stop-private) stop "$private" private-stopped alice-1,alice-2 ;;
    stop-public) stop "$public" public-stopped alice-1,bob-1 ;;
    *) die "KINDS: $kind" ;;
  esac
done
for path in alice-1 alice-2 bob-1 bob-2; do touch "$work/$path.probe.stop"; done
wait "${probes[@]}" || true
[ ${#starts[@]} -eq 0 ] || printf '%s\n' "${starts[@]}" | sort -n | awk '{ a[NR] = $1 } END { print NR " starts until ready: p50 " a[int((NR + 1) / 2)] " ms, max " a[NR] " ms" }'
python3 programs/tunnel_faults.py "$work/faults" "${LIMIT:-5000}" alice-1="$work/alice-1.probe" alice-2="$work/alice-2.probe" bob-1="$work/bob-1.probe" bob-2="$work/bob-2.probe" || status=1

sleep 65 # ready connections are given up, and what is remembered of agents
for each in public second private bob; do
  told_usage "$each" "${!each}"
  read -r before_pid d t h <<<"${before[$each]}"
  [ "$before_pid" = "${!each}" ] || continue # it was killed, and is another
  if [ "$descriptors" -gt "$d" ] || [ "$threads" -gt $((t + 5)) ] || [ "$heap" -gt $((h + 4096)) ]; then
    echo "  $each: FAILED: not back where it was"
    status=1
  fi
done
if complaints "$work/public.err" "$work/private.err" "$work/second.err" "$work/bob.err" | grep .; then status=1; fi
exit "$status"
