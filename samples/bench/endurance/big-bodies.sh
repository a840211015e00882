#!/usr/bin/env bash
# Bodies of 1 GiB up and down, by HTTP/1.1 and HTTP/2, through a proxy with a heap of 128 MiB: every byte has to arrive, and
# the proxy's resident memory is shown before, at its highest, and after. Ends with 1 when a body is lost or changed.
#
# Options by environment: SIZE (bytes, 1073741824), JAR, JAVA (java), JAVA_OPTS (of the proxy; -Xmx128m).
set -euo pipefail
cd "$(dirname "$0")/../tools"
# shellcheck source=common.sh
. ./common.sh
need curl openssl sha256sum

size=${SIZE:-1073741824}

certificate

"$java" -jar "$jar" service >"$work/service.out" 2>"$work/service.err" &
pids+=($!)
ready $! service
service=$uri
# shellcheck disable=SC2086 # options are words
"$java" ${JAVA_OPTS:--Xmx128m} -jar "$jar" expose --to "$service" --external-port 0 --bind 127.0.0.1 \
  --cert "$work/cert.pem" --key "$work/key.pem" >"$work/proxy.out" 2>"$work/proxy.err" &
proxy_pid=$!
pids+=("$proxy_pid")
ready "$proxy_pid" proxy
proxy=$uri

memory() { # MiB, by field of /proc/<pid>/status
  awk -v field="$1:" '$1 == field { printf "%d", $2 / 1024 }' "/proc/$proxy_pid/status"
}
sampler() { # the highest VmRSS so far, each half second
  local now highest=0
  while now=$(memory VmRSS) && [ -n "$now" ]; do
    if [ "$now" -gt "$highest" ]; then
      highest=$now
      echo "$highest" >"$work/highest"
    fi
    sleep 0.5
  done
}
content() { # the same bytes each time, and none of them alike
  openssl enc -aes-128-ctr -K 00000000000000000000000000000000 -iv 00000000000000000000000000000000 -in /dev/zero \
    2>/dev/null | head -c "$size" || true
}
through() { # curl with the version given
  curl --silent --show-error --fail --cacert "$work/cert.pem" --max-time 600 "$@"
}

failed=0
check() { # what, expected, actual, milliseconds
  local verdict=ok
  if [ "$2" != "$3" ]; then
    verdict="DIFFERENT"
    failed=1
  fi
  printf '%-14s %8.1f MiB/s  %s\n' "$1" "$(awk -v n="$size" -v t="$4" 'BEGIN { print n / 1048576 / (t / 1000) }')" "$verdict"
}
now() { date +%s%3N; }

echo "$((size / 1048576)) MiB each, proxy with ${JAVA_OPTS:--Xmx128m}"
upload_hash=$(content | sha256sum | cut -d ' ' -f 1)
download_hash=$(curl --silent --show-error --fail "${service}download/big.bin?size=$size" | sha256sum | cut -d ' ' -f 1)
for version in --http1.1 --http2; do # curl falls back to HTTP/1.1 without a word
  spoken=$(through "$version" --output /dev/null --write-out '%{http_version}' "${proxy}api/hello") || die "the proxy doesn't answer: curl's exit status $?"
  [ "--http$spoken" = "$version" ] || die "the proxy speaks HTTP/$spoken, asked for ${version#--}."
done
before=$(memory VmRSS)
sampler &
pids+=($!)

for version in --http1.1 --http2; do
  start=$(now)
  answer=$(content | through "$version" --upload-file - "${proxy}upload") || answer="curl failed"
  check "${version#--} up" "{\"bytes\":$size,\"sha256\":\"$upload_hash\"}" "$answer" $(($(now) - start))
  start=$(now)
  hash=$(through "$version" "${proxy}download/big.bin?size=$size" | sha256sum | cut -d ' ' -f 1) || hash="curl failed"
  check "${version#--} down" "$download_hash" "$hash" $(($(now) - start))
done
echo "resident memory: before $before MiB, highest $(cat "$work/highest") MiB sampled and $(memory VmHWM) MiB by the kernel," \
  "after $(memory VmRSS) MiB"
grep -E '^[^ ]+ (WARN|ERROR) ' "$work/proxy.err" | head -n 5 || true
exit "$failed"
