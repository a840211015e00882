#!/usr/bin/env bash
# Many TLS connections, one after the other, each with one request and Connection: close: the proxy must not keep a file
# descriptor of them. Ends with 1 when it does, or when one isn't answered.
#
# Options by environment: COUNT (10000), JAR, JAVA (java), JAVA_OPTS.
set -euo pipefail
cd "$(dirname "$0")/../tools"
# shellcheck source=common.sh
. ./common.sh
need curl openssl

count=${COUNT:-10000}

certificate
# shellcheck disable=SC2086 # options are words
"$java" ${JAVA_OPTS:-} -jar "$jar" demo --external-port 0 --bind 127.0.0.1 \
  --cert "$work/cert.pem" --key "$work/key.pem" >"$work/proxy.out" 2>"$work/proxy.err" &
pid=$!
pids+=("$pid")
ready "$pid" proxy

descriptors() {
  local all=("/proc/$pid/fd/"*)
  echo "${#all[@]}"
}
connect() { # that many connections, by one curl: prints how many answers of 200 came
  curl --silent --http1.1 --cacert "$work/cert.pem" --max-time 30 --fail-early --header 'Connection: close' --output /dev/null \
    --write-out '%{http_code} %{num_connects}\n' "${uri}headers?n=[1-$1]" | grep -c '^200 1$' || true
}

# What the first connections open for good: buffers, files of the jar, connections to the service.
connect 100 >/dev/null
sleep 5
before=$(descriptors)
start=$(date +%s%3N)
answered=$(connect "$count")
took=$(($(date +%s%3N) - start))
right_after=$(descriptors)
for _ in $(seq 50); do
  after=$(descriptors)
  [ "$after" -gt "$before" ] || break
  sleep 0.1
done

echo "$answered of $count connections answered in $((took / 1000)).$(printf %03d $((took % 1000))) s"
echo "descriptors: before $before, right after $right_after, at most 5 s later $after"
grep -E '^[^ ]+ (WARN|ERROR) ' "$work/proxy.err" | head -n 5 || true
if [ "$answered" -ne "$count" ] || [ "$after" -gt "$before" ]; then
  echo "FAILED"
  exit 1
fi
echo "ok"
