#!/usr/bin/env bash
# Many TLS connections, one after the other, each with one request and Connection: close: the proxy must not keep a file
# descriptor of them.
#
# Options by environment: COUNT (10000), JAR, JAVA (java), JAVA_OPTS.
set -euo pipefail
cd "$(dirname "$0")"

count=${COUNT:-10000}
jar=${JAR:-../target/webproxy.jar}
java=${JAVA:-java}

die() {
  echo "close-connections: $*" >&2
  exit 1
}
for tool in curl openssl "$java"; do
  command -v "$tool" >/dev/null || die "$tool is needed and not installed."
done
[ -f "$jar" ] || die "$jar is missing: build it by mvn -q -B -ntp package -DskipTests, or name it in JAR."

work=$(mktemp -d)
: >"$work/out"
pids=()
cleanup() {
  trap - EXIT
  [ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
  -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout "$work/key.pem" -out "$work/cert.pem" 2>/dev/null
# shellcheck disable=SC2086 # options are words
"$java" ${JAVA_OPTS:-} -jar "$jar" demo --external-port 0 --bind 127.0.0.1 \
  --cert "$work/cert.pem" --key "$work/key.pem" >"$work/out" 2>"$work/err" &
pid=$!
pids+=("$pid")
for _ in $(seq 300); do
  uri=$(sed -n 's/^ready //p' "$work/out")
  [ -z "$uri" ] || break
  kill -0 "$pid" 2>/dev/null || die "the proxy did not start: $(head -n 1 "$work/err")"
  sleep 0.1
done
[ -n "$uri" ] || die "the proxy was not ready within 30 s."

descriptors() {
  local all=("/proc/$pid/fd/"*)
  echo "${#all[@]}"
}
connect() { # that many connections, by one curl: prints how many answers of 200 came
  curl --silent --http1.1 --cacert "$work/cert.pem" --header 'Connection: close' --output /dev/null \
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
grep -E '^[^ ]+ (WARN|ERROR) ' "$work/err" | head -n 5 || true
if [ "$answered" -ne "$count" ] || [ "$after" -gt "$before" ]; then
  echo "FAILED"
  exit 1
fi
echo "ok"
