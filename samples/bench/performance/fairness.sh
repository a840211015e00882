#!/usr/bin/env bash
# How long small requests take beside transfers that never pause, all of them on one IO thread of the proxy: downloads and uploads, in
# cleartext and over TLS. The proxy answers the requests itself, with 405, so that a busy service doesn't count. At the 90th percentile a
# request may take 50 ms longer than alone; each must be answered, and each transfer must move 10 MB meanwhile, or nothing is shown.
# Ends with 1 otherwise.
#
# Options by environment: TRANSFERS (3), REQUESTS (50), JAR, JAVA (java), JAVA_OPTS (of the proxies).
set -euo pipefail
cd "$(dirname "$0")/../tools"
# shellcheck source=common.sh
. ./common.sh
need curl openssl

certificate
"$java" -jar "$jar" service >"$work/service.out" 2>"$work/service.err" &
pids+=($!)
ready $! service
service=$uri

small() { # 50th and 90th percentile and the highest of the requests' times, in ms, and how many weren't answered as they should be
  for _ in $(seq "${REQUESTS:-50}"); do
    curl --silent --request TRACE --http1.1 --cacert "$work/cert.pem" --max-time 30 --output /dev/null --write-out '%{time_total} %{http_code}\n' "$uri" || true
  done | sort -n | awk '{ t[NR] = $1 * 1000; bad += $2 != 405 } END { print t[int((NR + 1) / 2)], t[int(NR * 0.9)], t[NR], bad + 0 }'
}
moved() { # kind, pid: the bytes that curl has written to /dev/null or read of /dev/zero so far
  local field=wchar
  [ "$1" = downloads ] || field=rchar
  awk -v field="$field:" '$1 == field { n = $2 } END { print n + 0 }' "/proc/$2/io" 2>/dev/null || echo 0
}
failed=0
measure() { # name, options of the proxy
  # shellcheck disable=SC2086 # options are words
  "$java" ${JAVA_OPTS:-} -jar "$jar" expose --to "$service" --external-port 0 --bind 127.0.0.1 --io-threads 1 "${@:2}" \
    >"$work/$1.out" 2>"$work/$1.err" &
  pids+=($!)
  ready $! "$1"
  small >/dev/null
  local alone beside transfers kind before least now i
  alone=$(small)
  for kind in downloads uploads; do
    transfers=()
    for _ in $(seq "${TRANSFERS:-3}"); do
      if [ "$kind" = downloads ]; then
        curl --silent --http1.1 --cacert "$work/cert.pem" --max-time 120 --output /dev/null "${uri}download/a?size=1000000000000" &
      else
        curl --silent --http1.1 --cacert "$work/cert.pem" --max-time 120 --output /dev/null --upload-file /dev/zero "${uri}upload" &
      fi
      transfers+=($!)
    done
    pids+=("${transfers[@]}")
    sleep 1
    before=()
    for i in "${transfers[@]}"; do before+=("$(moved "$kind" "$i")"); done
    beside=$(small)
    least=
    for i in "${!transfers[@]}"; do
      now=$(($(moved "$kind" "${transfers[i]}") - before[i]))
      if [ -z "$least" ] || [ "$now" -lt "$least" ]; then least=$now; fi
    done
    kill "${transfers[@]}" 2>/dev/null || true
    wait "${transfers[@]}" 2>/dev/null || true
    awk -v what="$1, beside ${TRANSFERS:-3} $kind" -v alone="$alone" -v beside="$beside" -v least="$least" 'BEGIN {
      split(alone, a, " "); split(beside, b, " "); ok = b[2] < a[2] + 50 && a[4] + b[4] == 0 && least >= 10000000
      printf "%-26s p50 %6.1f ms, p90 %6.1f ms, max %6.1f ms (alone %.1f, %.1f, %.1f), not answered: %d, slowest transfer: %d MB: %s\n",
        what, b[1], b[2], b[3], a[1], a[2], a[3], a[4] + b[4], least / 1000000, ok ? "ok" : "FAILED"
      exit !ok }' || failed=1
  done
}
measure plain --plain
measure tls --cert "$work/cert.pem" --key "$work/key.pem"
exit "$failed"
