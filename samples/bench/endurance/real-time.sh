#!/usr/bin/env bash
# What the default timeouts promise, in real time: all cases side by side take a bit over 11 minutes. Healthy streams have
# to arrive whole however long they go on, what is silent for a minute gets its 504, a silent WebSocket stays, and the
# upstream's connection ends within 100 ms when the client goes while it waits.
#
# One line for each case, with ok or FAILED. Ends with 1 when one of them failed.
#
# Options by environment: MINUTE (60; seconds that a minute has: with another value all durations and the proxy's limits
# scale with it, 3 makes a trial of 35 s), GONE (20; how many clients go, by each way), JAR, JAVA (java), JAVA_OPTS (of
# the proxies).
set -euo pipefail
cd "$(dirname "$0")/../tools"
# shellcheck source=common.sh
. ./common.sh
need curl openssl

minute=${MINUTE:-60}
gone=${GONE:-20}

certificate

"$java" Upstream.java >"$work/upstream.out" 2>"$work/upstream.err" &
pids+=($!)
ready $! upstream
upstream=$uri
scaled=()
if [ "$minute" -ne 60 ]; then
  scaled=(--timeout "default=${minute}s,long=$((10 * minute))s,download=$((30 * minute))s,websocket=none")
fi
expose() { # name, options: puts what it serves into $uri
  # shellcheck disable=SC2086 # options are words
  "$java" ${JAVA_OPTS:-} -jar "$jar" expose --to "$upstream" --external-port 0 --bind 127.0.0.1 "${scaled[@]}" "${@:2}" \
    >"$work/$1.out" 2>"$work/$1.err" &
  pids+=($!)
  ready $! "$1"
}
expose tls-proxy --cert "$work/cert.pem" --key "$work/key.pem"
proxy=$uri
expose plain-proxy --plain
plain=$uri

through() { # curl with the version given
  curl --silent --cacert "$work/cert.pem" --max-time $((12 * minute + 30)) "$@"
}
for version in --http1.1 --http2; do # what first requests load would count as lateness
  spoken=$(through "$version" --output /dev/null --write-out '%{http_version}\n' "${proxy}warm-up?[1-200]") || die "the proxy doesn't answer: curl's exit status $?"
  # curl falls back to HTTP/1.1 without a word
  [ "--http${spoken##*$'\n'}" = "$version" ] || die "the proxy speaks HTTP/${spoken##*$'\n'}, asked for ${version#--}."
done

cases=()
begin() { # title: the case runs in the background and writes its result into the file named last
  cases+=("$1")
  out="$work/case-${#cases[@]}"
}
result() { # file, whether it is ok (0), what was seen
  local verdict=ok
  [ "$2" -eq 0 ] || verdict=FAILED
  echo "$3: $verdict" >"$1"
}

silent() { # version, file
  local status total good=1
  read -r status total < <(through "--$1" --output /dev/null --write-out '%{http_code} %{time_total}\n' \
    "${proxy}plain?silent" || true)
  if [ "$status" = 504 ] && awk -v t="$total" -v m="$minute" 'BEGIN { exit !(t >= m - 1 && t <= m + 1) }'; then good=0; fi
  result "$2" "$good" "$status after $total s"
}
events() { # version, file, path, seconds between two, times this many
  local exit=0 total seen good=1
  total=$(through "--$1" --no-buffer --output "$2.body" --write-out '%{time_total}' \
    "${proxy}$3?type=text/event-stream&every=$4&pieces=$5") || exit=$?
  seen=$(awk '
    /^data: / && $2 != ++n { print "event " $2 " in place of " n; wrong = 1; exit }
    END { if (!wrong) print n + 0 }' "$2.body")
  if [ "$exit" -eq 0 ] && [ "$seen" = "$5" ]; then good=0; fi
  result "$2" "$good" "$seen of $5 events in $total s, curl's exit status $exit"
}
trickle() { # version, file, KiB
  local exit=0 status total same=differs good=1
  read -r status total exit < <(through "--$1" --no-buffer --output "$2.body" --range "0-$(($3 * 1024 - 1))" \
    --write-out '%{http_code} %{time_total} %{exitcode}\n' \
    "${proxy}plain?status=206&length&size=1024&every=1000&pieces=$3" || true)
  if (yes 0123456789abcde || true) | head -c $(($3 * 1024)) | cmp -s - "$2.body"; then same=same; fi
  if [ "$status,$exit,$same" = 206,0,same ]; then good=0; fi
  result "$2" "$good" \
    "$status with $(stat -c %s "$2.body") of $(($3 * 1024)) bytes in $total s, content $same, curl's exit status $exit"
}

clients=()
for version in http1.1 http2; do
  begin "silent upstream, $version"
  silent "$version" "$out" &
  clients+=($!)
  begin "event each $((minute * 55 / 60)) s for 5.5 min, path without a hint, $version"
  events "$version" "$out" plain $((minute * 55000 / 60)) 7 &
  clients+=($!)
  begin "event each $((minute * 110 / 60)) s for 5.5 min, path without a hint, $version"
  events "$version" "$out" plain $((minute * 110000 / 60)) 4 &
  clients+=($!)
  begin "event each second for 11 min, $version"
  events "$version" "$out" stream 1000 $((11 * minute + 1)) &
  clients+=($!)
  begin "206 with 1 KiB/s for 3 min, $version"
  trickle "$version" "$out" $((3 * minute)) &
  clients+=($!)
done
"$java" SilentWebSockets.java "$work/cert.pem" $((5 * minute)) "$plain" "$proxy" >"$work/websockets" 2>&1 &
clients+=($!)
"$java" ClientGone.java "$proxy" "$work/cert.pem" "$gone" >"$work/gone" 2>&1 &
clients+=($!)
pids+=("${clients[@]}")
for pid in "${clients[@]}"; do
  wait "$pid" || true
done

failed=0
tell() { # line
  echo "$1"
  case $1 in *": ok") ;; *) failed=1 ;; esac
}
for i in "${!cases[@]}"; do
  tell "${cases[i]}: $(cat "$work/case-$((i + 1))" 2>/dev/null || echo FAILED)"
done
for what in plain tls; do
  scheme=ws
  [ $what = plain ] || scheme=wss
  if grep -q "^$scheme://[^ ]* ok\$" "$work/websockets"; then
    tell "WebSocket silent for 5 min, $what, echoes after it: ok"
  else
    tell "WebSocket silent for 5 min, $what: FAILED: $(grep -v ' ok$' "$work/websockets" | head -n 3 | tr '\n' ' ')"
  fi
done
for way in h1 h2 reset; do
  awk -v way="$way" '
    $1 == "left" && $2 ~ "^" way "-" { left[$2] = $3 }
    $1 == "ended" && $2 in left { print ($3 - left[$2]) / 1e6 }' "$work/gone" "$work/upstream.out" | sort -n >"$work/$way"
  tell "client gone while the upstream is silent, $way: $(awk -v all="$gone" '
    { v[NR] = $1 }
    END {
      median = NR ? (NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2) : -1
      printf "%d of %d noticed, median %.1f ms, max %.1f ms: %s", NR, all, median, v[NR],
        NR == all && v[NR] < 100 ? "ok" : "FAILED"
    }' "$work/$way")"
done
grep -vE '^left ' "$work/gone" | head -n 3 || true
grep -hE '^[^ ]+ (WARN|ERROR) ' "$work"/*-proxy.err | head -n 5 || true
exit "$failed"
