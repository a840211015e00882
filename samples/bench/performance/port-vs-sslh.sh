#!/usr/bin/env bash
# CPU time of relays from one port: sslh-select, HAProxy in TCP mode and this proxy in turns, each told to relay SSH to the same service. Bulk data in either
# direction, short connections, and idle relays: how many each holds, and what one costs this proxy in heap after collections and direct memory. Ends with 1
# when this proxy takes more than MOST of sslh-select's CPU time for a MB or a connection, more than MEMORY bytes for an idle relay, or holds fewer than it should.
# sslh-select is run twice: as its command line does, with a process for each SSH connection, which is what counts; and as `sslh-one`, in one process for all.
#
# Each program has a control group of its own, where that can be had (Linux, as root): it counts processes that have ended too. Without, those of sslh-select that live for less than
# 20 ms are left out, which is most of what a short connection takes.
#
# Options by environment: ROUNDS (5), MIB (1024, in each direction), CONNECTIONS (5000), IDLE (2000), WARMUP (12; rounds of all that before), MOST (1.0), TIME_BY (groups, or proc for none),
# MEMORY (12288), PROXY (a command that takes the place of `java -jar … port`), JAR, JAVA (java), JAVA_OPTS.
set -euo pipefail
cd "$(dirname "$0")/../tools"
# shellcheck source=common.sh
. ./common.sh
PATH=$PATH:/usr/sbin:/sbin
need sslh-select haproxy
idle=${IDLE:-2000}
ulimit -n "$(ulimit -Hn)"
[ "$(ulimit -n)" = unlimited ] || [ "$(ulimit -n)" -gt $((idle * 3 + 500)) ] || die "$(ulimit -n) open files are too few."

free_port && sslh_port=$port
free_port && sslh_target=$port
free_port && one_port=$port
free_port && one_target=$port
free_port && haproxy_port=$port
free_port && haproxy_target=$port
free_port && target=$port

groups='' used=''
if [ "${TIME_BY:-groups}" = groups ]; then
  for each in /sys/fs/cgroup/cpu.stat /sys/fs/cgroup/cpuacct/cpuacct.usage; do
    if [ -z "$groups" ] && [ -f "$each" ] && mkdir "${each%/*}/webproxy-bench-$$" 2>/dev/null; then
      groups=${each%/*}/webproxy-bench-$$
      used=${each##*/}
    fi
  done
fi
ungroup() {
  for _ in $(seq 50); do
    if [ -z "$groups" ] || rmdir "$groups"/*/ "$groups" 2>/dev/null; then return; fi
    sleep 0.1
  done
}
trap 'cleanup; ungroup' EXIT

grouped() { # name, command: becomes it, in a group of that name
  if [ "$groups" ]; then mkdir "$groups/$1" && echo "$BASHPID" >"$groups/$1/cgroup.procs" || exit 1; fi
  shift
  exec "$@"
}
counted() { # name, pid: what its time is read from, if it is in its group
  if [ "$groups" ] && grep -qx "$2" "$groups/$1/cgroup.procs"; then echo "$groups/$1/$used"; fi
}

# As on Debian's command line: a process of its own for each SSH connection, which may lose connections; and in one process for all.
grouped sslh sslh-select -f -n -t 2 -p "127.0.0.1:$sslh_port" --ssh "127.0.0.1:$sslh_target" >"$work/sslh.out" 2>&1 &
sslh=$!
pids+=("$sslh")
cat >"$work/sslh.cfg" <<EOF
foreground: true;
numeric: true;
timeout: 2;
listen: ( { host: "127.0.0.1"; port: "$one_port"; } );
protocols: ( { name: "ssh"; host: "127.0.0.1"; port: "$one_target"; fork: false; log_level: 0; } );
EOF
grouped sslh-one sslh-select "-F$work/sslh.cfg" >"$work/sslh-one.out" 2>&1 &
one=$!
pids+=("$one")
cat >"$work/haproxy.cfg" <<EOF
global
  maxconn 5000
  nbthread 2
defaults
  mode tcp
  timeout connect 5s
  timeout client 1h
  timeout server 1h
frontend port
  bind 127.0.0.1:$haproxy_port
  tcp-request inspect-delay 2s
  tcp-request content accept if { req.payload(0,4) -m str SSH- }
  use_backend ssh if { req.payload(0,4) -m str SSH- }
backend ssh
  server ssh 127.0.0.1:$haproxy_target
EOF
grouped haproxy haproxy -db -f "$work/haproxy.cfg" >"$work/haproxy.out" 2>&1 &
haproxy=$!
pids+=("$haproxy")
# shellcheck disable=SC2086 # options are words
grouped webproxy ${PROXY:-"$java" ${JAVA_OPTS:-} -jar "$jar" port} --listen 0 --bind 127.0.0.1 --ssh "127.0.0.1:$target" >"$work/proxy.out" 2>"$work/proxy.err" &
proxy=$!
pids+=("$proxy")
ready "$proxy" proxy
port=${uri##*:}
port=${port%/}

listens "$sslh_port" "$work/sslh.out"
listens "$one_port" "$work/sslh-one.out"
listens "$haproxy_port" "$work/haproxy.out"

mkdir "$work/classes"
"${java%java}javac" -d "$work/classes" PortVersus.java
echo "$(sslh-select -V 2>&1 | head -n 1), $(haproxy -v | sed -n '1s/ - .*//p'), $("$java" -jar "$jar" --version 2>/dev/null | head -n 1) with ${JAVA_OPTS:-default options}; $(nproc) processors; time by $([ "$groups" ] && echo "control groups" || echo /proc)"
"$java" -Dhertz="$(getconf CLK_TCK)" -cp "$work/classes" PortVersus "${ROUNDS:-5}" "${MIB:-1024}" "${CONNECTIONS:-5000}" "$idle" "${WARMUP:-12}" "${MOST:-1.0}" "${MEMORY:-12288}" \
  "sslh:$sslh:$sslh_port:$sslh_target:$(counted sslh "$sslh")" "sslh-one:$one:$one_port:$one_target:$(counted sslh-one "$one")" \
  "haproxy:$haproxy:$haproxy_port:$haproxy_target:$(counted haproxy "$haproxy")" "webproxy:$proxy:$port:$target:$(counted webproxy "$proxy")"
