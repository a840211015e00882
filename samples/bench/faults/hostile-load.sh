#!/usr/bin/env bash
# Load by clients that misbehave, and a good client beside them: it must see no error and hardly wait longer, and a minute later the proxy must be
# as small as it was. Names of cases may be given; without them all are run. Ends with 1 when a rule is broken.
#
# Options by environment: JAR, JAVA (java), SLOW (connections of each mode of slowhttptest, 2000).
set -euo pipefail
cd "$(dirname "$0")/../tools"
# shellcheck source=common.sh
. ./common.sh
need openssl jcmd awk
slow=${SLOW:-2000}
cases=("$@")
[ ${#cases[@]} -gt 0 ] || cases=(slow-heads slow-bodies slow-readers ranges hellos trickled-hellos handshakes descriptors idle idle-tls aborts downloads)
certificate
mkdir "$work/classes"
"${java%java}javac" -d "$work/classes" Bystander.java Misbehaved.java
ulimit -n "$(ulimit -Hn)"

"$java" -jar "$jar" service >"$work/service.out" 2>"$work/service.err" &
pids+=($!)
ready $! service
service=$uri

proxy() { # options of the JVM, then of the proxy: sets $pid, $uri, $port
  local jvm=$1
  shift
  : >"$work/proxy.out"
  # shellcheck disable=SC2086 # options are words
  "$java" $jvm -jar "$jar" expose --to "$service" --external-port 0 --bind 127.0.0.1 "$@" >"$work/proxy.out" 2>"$work/proxy.err" &
  pid=$!
  pids+=("$pid")
  ready "$pid" proxy
  port=${uri##*:}
  port=${port%/}
}

state() { # live heap in KiB, descriptors, threads
  jcmd "$pid" GC.run >/dev/null
  jcmd "$pid" GC.heap_info | awk '/used/ { sub(/K/, "", $0); for (i = 1; i <= NF; i++) if ($i == "used") { gsub(/[^0-9]/, "", $(i + 1)); printf "%d", $(i + 1); exit } }'
  echo " $(find "/proc/$pid/fd" -mindepth 1 | wc -l) $(find "/proc/$pid/task" -mindepth 1 -maxdepth 1 | wc -l)"
}

ticks() { awk '{ print $14 + $15 }' "/proc/$pid/stat"; }

broken=0
verdict() {
  if "${@:2}"; then echo "  $1: ok"; else
    echo "  $1: NOT OK"
    broken=1
  fi
}

settled() { # heap, descriptors and threads of before: whether they come back within 60 s
  local now
  for _ in $(seq 12); do
    read -r -a now <<<"$(state)"
    if [ "${now[0]}" -lt $(($1 + 4096)) ] && [ "${now[1]}" -le $(($2 + 5)) ] && [ "${now[2]}" -le $(($3 + 4)) ]; then
      echo "  before: $1 KiB heap, $2 descriptors, $3 threads; after: ${now[*]}"
      return 0
    fi
    sleep 5
  done
  echo "  before: $1 KiB heap, $2 descriptors, $3 threads; after 60 s: ${now[*]}"
  return 1
}

alone() { # pid: waits until the good client has been alone for long enough
  until grep -q '^alone' "$work/bystander.out"; do
    kill -0 "$1" 2>/dev/null || die "the good client has ended: $(head -n 3 "$work/bystander.out")"
    sleep 0.1
  done
}

beside() { # seconds, command: runs it beside the good client, which started before it
  local seconds=$1 before
  shift
  "$java" -Xmx64m -cp "$work/classes" Bystander "$uri" "$work/cert.pem" 3 1 >/dev/null 2>&1 || true
  read -r -a before <<<"$(state)"
  : >"$work/bystander.out"
  "$java" -Xmx64m -cp "$work/classes" Bystander "$uri" "$work/cert.pem" 5 "$seconds" >"$work/bystander.out" 2>&1 &
  local bystander=$!
  alone "$bystander"
  "$@" >"$work/fault.out" 2>&1 || { echo "  the fault's own check failed" && broken=1; }
  sed 's/^/  /' "$work/fault.out" | grep -v '^ *$' | tail -n 4
  wait "$bystander" && good=true || good=false
  sed 's/^/  /' "$work/bystander.out"
  verdict "the bystander" "$good"
  verdict "back to what it was" settled "${before[@]}"
}

misbehaved() { timeout 180 "$java" -Xmx1g -cp "$work/classes" Misbehaved "$@"; }

slowly() { # options of slowhttptest
  command -v slowhttptest >/dev/null || die "slowhttptest is needed and not installed."
  slowhttptest -c "$slow" -r 500 -l 60 -p 3 "$@" 2>&1 | sed 's/\x1b\[[0-9;]*m//g' >"$work/slow.raw" || true
  grep -aE 'closed:|error:|connected:|service available:|Exit status|Hit test' "$work/slow.raw" | tail -n 5
  # most of them must have got in, whatever became of them
  awk -v all="$slow" '
    $1 == "connected:" { inside = $2 }
    $1 == "closed:" && inside + $2 > most { most = inside + $2 }
    END { exit most < all / 2 }' "$work/slow.raw"
}

tls=(--cert "$work/cert.pem" --key "$work/key.pem")
for one in "${cases[@]}"; do
  echo "$one"
  case $one in
    descriptors)
      (ulimit -n 256 && exec "$java" -jar "$jar" expose --to "$service" --external-port 0 --bind 127.0.0.1 "${tls[@]}" >"$work/few.out" 2>"$work/few.err") &
      pid=$!
      pids+=("$pid")
      ready "$pid" few
      port=${uri##*:}
      port=${port%/}
      jcmd "$pid" VM.flags >/dev/null
      "$java" -Xmx64m -cp "$work/classes" Bystander "$uri" "$work/cert.pem" 4 10 >"$work/bystander.out" 2>&1 &
      bystander=$!
      alone "$bystander"
      misbehaved connects "$port" 1000 8 &
      flood=$!
      sleep 3
      from=$(ticks)
      sleep 4
      used=$(($(ticks) - from))
      wait "$flood" || { echo "  the fault's own check failed" && broken=1; }
      wait "$bystander" && good=true || good=false
      sed 's/^/  /' "$work/bystander.out"
      echo "  processor while the flood stays: $((used * 10 / 4)) ms of each second, the good client's requests included"
      verdict "no spin" [ "$used" -lt 160 ]
      verdict "the bystander" "$good"
      sleep 1
      code=$(curl --silent --cacert "$work/cert.pem" --max-time 5 -o /dev/null -w '%{http_code}' "${uri}api/hello" || true)
      verdict "a new client a second later gets 200 ($code)" [ "$code" = 200 ]
      ;;
    *)
      jvm=-Xmx256m
      front=("${tls[@]}")
      case $one in
        idle) front=(--plain) ;;
        downloads)
          jvm=-Xmx128m
          front=(--plain)
          ;;
      esac
      proxy "$jvm" "${front[@]}"
      case $one in
        slow-heads) beside 60 slowly -H -i 10 -t GET -u "$uri" ;;
        slow-bodies) beside 60 slowly -B -i 5 -s 8192 -t POST -u "${uri}upload" ;;
        slow-readers) beside 60 slowly -X -k 3 -w 512 -y 1024 -n 5 -z 32 -u "${uri}download/a.bin?size=10000000" ;;
        ranges) beside 60 slowly -R -a 10 -b 3000 -t HEAD -u "${uri}download/a.bin?size=10000000" ;;
        hellos | trickled-hellos) beside 20 misbehaved "$one" "$port" 1000 18 ;;
        handshakes) beside 20 misbehaved handshakes "$port" 8 15 ;;
        idle) beside 40 misbehaved idle "$port" 10000 30 ;;
        idle-tls) beside 60 misbehaved idle-tls "$port" 4000 50 ;;
        aborts) beside 40 misbehaved aborts "$port" 5000 60 ;;
        downloads) beside 40 misbehaved downloads "$port" 1000 30 ;;
        *) die "$one (expected: one of ${cases[*]})" ;;
      esac
      verdict "no word of trouble in the log" sh -c "! grep -E ' ERROR |OutOfMemory' '$work/proxy.err'"
      ;;
  esac
  kill "$pid"
  wait "$pid" 2>/dev/null || true
done
exit "$broken"
