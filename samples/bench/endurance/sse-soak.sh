#!/usr/bin/env bash
# Many event streams for a long time through the proxy over TLS, one event per second each, beside some straight to the same
# upstream: no event may be lost, the proxy's heap must not grow, and it may add little to an event's lateness.
#
# Lateness is from the upstream's write to the client's read, by one clock. Requirements: none lost, added at the median
# below 2 ms, added at the 99.9th percentile below 1 s, and the heap after a forced collection, sampled each minute, growing
# by less than 100 KiB per minute by least squares over the samples but the first. Lateness needs a machine that does
# nothing else. Ends with 1 when one of them isn't met.
#
# Options by environment: COUNT (500), DIRECT (50), DURATION (600 s), INTERVAL (60 s between samples), JAR, JAVA (java),
# JAVA_OPTS (of the proxy; -Xmx256m).
set -euo pipefail
cd "$(dirname "$0")/../tools"
# shellcheck source=common.sh
. ./common.sh
need curl openssl jcmd jstat

count=${COUNT:-500}
direct=${DIRECT:-50}
duration=${DURATION:-600}
interval=${INTERVAL:-60}

certificate

"$java" Upstream.java >"$work/upstream.out" 2>"$work/upstream.err" &
pids+=($!)
ready $! upstream
upstream=$uri
# shellcheck disable=SC2086 # options are words
"$java" ${JAVA_OPTS:--Xmx256m} -jar "$jar" expose --to "$upstream" --external-port 0 --bind 127.0.0.1 \
  --cert "$work/cert.pem" --key "$work/key.pem" >"$work/proxy.out" 2>"$work/proxy.err" &
proxy_pid=$!
pids+=("$proxy_pid")
ready "$proxy_pid" proxy
proxy=$uri
# What the first requests load would count as growth and lateness.
curl --silent --http1.1 --cacert "$work/cert.pem" --max-time 30 --fail-early --output /dev/null \
  "${proxy}warm-up?type=text/event-stream&pieces=3&every=1&n=[1-500]" || die "the proxy doesn't answer: curl's exit status $?"

"$java" SseClients.java "$proxy" "$work/cert.pem" "$count" "$upstream" "$direct" "$duration" >"$work/clients" 2>&1 &
clients=$!
pids+=("$clients")
until grep -q '^open$' "$work/clients"; do
  kill -0 "$clients" 2>/dev/null || die "the clients did not start: $(head -n 3 "$work/clients")"
  sleep 0.1
done

field() { # of /proc/<pid>/status
  awk -v field="$1:" '$1 == field { print $2 }' "/proc/$proxy_pid/status"
}
sample() { # seconds since the streams are open: after a collection
  jcmd "$proxy_pid" GC.run >/dev/null || return 1
  jstat -gc "$proxy_pid" | awk -v s="$1" -v rss="$(field VmRSS)" -v threads="$(field Threads)" '
    NR == 1 { for (i = 1; i <= NF; i++) name[$i] = i }
    NR == 2 { printf "%6d %10d %10d %8d\n", s, $name["S0U"] + $name["S1U"] + $name["EU"] + $name["OU"], rss, threads }' \
    | tee -a "$work/samples"
}
echo "$count streams through the proxy with ${JAVA_OPTS:--Xmx256m}, $direct straight, $duration s"
printf '%6s %10s %10s %8s\n' s 'heap KiB' 'RSS KiB' threads
start=$SECONDS
for ((at = interval; at < duration; at += interval)); do
  while [ $((SECONDS - start)) -lt "$at" ]; do
    kill -0 "$clients" 2>/dev/null || break 2
    sleep 0.5
  done
  sample "$at" || break
done
failed=0
wait "$clients" || failed=1
grep -v '^open$' "$work/clients"

slope=$(awk '
  NR > 1 { n++; x = $1 / 60; sx += x; sy += $2; sxx += x * x; sxy += x * $2 }
  END { if (n > 1) printf "%.1f", (n * sxy - sx * sy) / (n * sxx - sx * sx); else print "unknown" }' "$work/samples" \
  2>/dev/null || echo unknown)
verdict=ok
if ! awk -v slope="$slope" 'BEGIN { exit !(slope != "unknown" && slope + 0 < 100) }'; then
  verdict=FAILED
  failed=1
fi
echo "heap grows by $slope KiB/min (below 100): $verdict"
if grep -E '^[^ ]+ (WARN|ERROR) ' "$work/proxy.err" | head -n 5 | grep .; then failed=1; fi
exit "$failed"
