#!/usr/bin/env bash
# What metrics and the access log cost: CPU time per request of the runnable jar without either, with --metrics, and with --access-log, in turns in front of the same
# nginx, by HTTP/1.1 in cleartext. Prometheus isn't there; what a scrape costs is printed apart. Ends with 1 when the median of the rounds' ratios is above 1.05
# for metrics or 1.10 for the log, and with 2 when a request was not answered right.
#
# Options by environment: ROUNDS (10), REQUESTS (per measurement, 40000), WARM (requests that warm each JVM up, in eight runs, 200000), JAR, JAVA (java), JAVA_OPTS.
set -euo pipefail
cd "$(dirname "$0")/../tools"
# shellcheck source=common.sh
. ./common.sh
PATH=$PATH:/usr/sbin:/sbin
need curl h2load nginx python3

rounds=${ROUNDS:-10} requests=${REQUESTS:-40000} warm=${WARM:-200000}
free_port && upstream_port=$port
nginx_server upstream "$upstream_port" <<CONF
  server {
    listen 127.0.0.1:$upstream_port backlog=4096;
    location / {
      default_type text/plain;
      return 200 "$(printf 'x%.0s' {1..100})";
    }
  }
CONF

declare -A pid_of port_of
free_port && metrics_port=$port
start() { # name, options
  local name=$1
  shift
  # shellcheck disable=SC2086 # options are words
  "$java" -Xmx512m ${JAVA_OPTS:-} -jar "$jar" expose --internal-port "$upstream_port" --external-port 0 --plain --bind 127.0.0.1 --io-threads 2 \
    --log-level warn "$@" >"$work/$name.out" 2>"$work/$name.err" &
  pids+=("$!")
  pid_of[$name]=$!
  ready "$!" "$name"
  port_of[$name]=${uri##*:}
  port_of[$name]=${port_of[$name]%%/*}
}
start plain
start metrics --metrics "127.0.0.1:$metrics_port"
start log --access-log "$work/access.log"

load() { # name, requests
  h2load --h1 -n "$2" -c 20 -m 1 "http://127.0.0.1:${port_of[$1]}/" >"$work/load" 2>&1 || true
  grep -q "^status codes: $2 2xx" "$work/load" || {
    echo "metrics-cost: $1 didn't answer $2 requests: $(grep '^status codes' "$work/load")" >&2
    exit 2
  }
}

ticks() { # name: user and system time of the process, in clock ticks
  local stat fields
  stat=$(cat "/proc/${pid_of[$1]}/stat")
  read -ra fields <<<"${stat##*) }"
  echo $((fields[11] + fields[12]))
}

for _ in $(seq 8); do
  for name in plain metrics log; do load "$name" $((warm / 8)); done
done
hertz=$(getconf CLK_TCK)
order="plain metrics log"
for round in $(seq "$rounds"); do
  for name in $order; do
    before=$(ticks "$name")
    load "$name" "$requests"
    echo "$round $name $(($(ticks "$name") - before))" >>"$work/table"
  done
  order="${order#* } ${order%% *}"
done
for _ in $(seq 20); do curl -sS -o "$work/null" "http://127.0.0.1:$metrics_port/metrics"; done
before=$(ticks metrics)
for _ in $(seq 100); do curl -sS -o "$work/null" "http://127.0.0.1:$metrics_port/metrics"; done
scrape=$(($(ticks metrics) - before))

python3 - "$work/table" "$requests" "$hertz" "$scrape" <<'PY'
import statistics, sys
rounds = {}
for line in open(sys.argv[1]):
    number, name, ticks = line.split()
    rounds.setdefault(number, {})[name] = int(ticks)
requests, hertz, scrape = (int(word) for word in sys.argv[2:])
failed = False
for name, most in (('plain', None), ('metrics', 1.05), ('log', 1.10)):
    micros = statistics.median(each[name] for each in rounds.values()) / hertz * 1e6 / requests
    ratios = sorted(each[name] / each['plain'] for each in rounds.values())
    ratio = statistics.median(ratios)
    verdict = '' if most is None else 'ok' if ratio <= most else f'above {most}'
    failed |= most is not None and ratio > most
    print(f'{name:8} {micros:6.1f} us per request, {ratio:.3f} times plain ({ratios[0]:.2f}-{ratios[-1]:.2f}) {verdict}')
print(f'a scrape: {scrape / hertz * 1e3 / 100:.1f} ms')
sys.exit(failed)
PY
