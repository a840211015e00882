#!/usr/bin/env bash
# Debian's Prometheus scrapes the runnable jar under load: what it has counted is compared with what the load generator counted, by status and protocol; promtool
# checks the text; each query of grafana/webproxy.json must have data, from a proxy for HTTPS and one of relays. Ends with 1 when one of these isn't so.
#
# Options by environment: REQUESTS (by each protocol, 20000), JAR, JAVA (java), JAVA_OPTS.
set -euo pipefail
cd "$(dirname "$0")/../tools"
# shellcheck source=common.sh
. ./common.sh
need curl h2load openssl prometheus promtool python3

requests=${REQUESTS:-20000}
dashboard=../../grafana/webproxy.json
certificate

start() { # name, arguments: a proxy with metrics, whose port goes into $served and that of its metrics into $port
  local name=$1
  shift
  free_port
  # shellcheck disable=SC2086 # options are words
  "$java" ${JAVA_OPTS:-} -jar "$jar" "$@" --bind 127.0.0.1 --metrics "127.0.0.1:$port" --log-level warn >"$work/$name.out" 2>"$work/$name.err" &
  pids+=("$!")
  ready "$!" "$name"
  served=${uri##*:}
  served=${served%%/*}
}

start demo demo --external-port 0 --cert "$work/cert.pem" --key "$work/key.pem"
https=$served demo_metrics=$port
start relay port --listen 0 --otherwise "127.0.0.1:$https"
relay=$served relay_metrics=$port
free_port
prometheus_at=127.0.0.1:$port
cat >"$work/prometheus.yml" <<CONF
global: {scrape_interval: 1s}
scrape_configs:
  - job_name: webproxy
    static_configs: [{targets: ["127.0.0.1:$demo_metrics", "127.0.0.1:$relay_metrics"]}]
CONF
prometheus --config.file="$work/prometheus.yml" --storage.tsdb.path="$work/tsdb" --web.listen-address="$prometheus_at" >"$work/prometheus.log" 2>&1 &
pids+=("$!")
listens "$port" "$work/prometheus.log"

failed=0
check() { # what, expected, found
  if [ "$2" = "$3" ]; then
    echo "$1: $3"
  else
    echo "$1: FAILED: $3 (expected: $2)"
    failed=1
  fi
}

query() { # expression: its first value, 0 without one
  curl -sS -G --data-urlencode "query=$1" "http://$prometheus_at/api/v1/query" |
    python3 -c 'import json,sys; r=json.load(sys.stdin)["data"]["result"]; print(round(float(r[0]["value"][1])) if r else 0)'
}

answered() { # h2load's output: how many had a status of 2xx
  sed -n 's/^status codes: \([0-9]*\) 2xx.*/\1/p' "$1"
}

for protocol in h1 h2; do
  options=()
  [ "$protocol" = h2 ] || options=(--h1)
  h2load "${options[@]}" -n "$requests" -c 20 -m 10 "https://127.0.0.1:$https/api/hello" >"$work/$protocol.load" 2>&1 || die "h2load: $(tail -n 1 "$work/$protocol.load")"
done
for _ in $(seq 7); do curl -sk -o "$work/null" "https://127.0.0.1:$https/status/503"; done
for _ in $(seq 5); do curl -sk -X BREW -o "$work/null" "https://127.0.0.1:$https/api/hello"; done
curl -sk -o "$work/null" "https://127.0.0.1:$relay/api/hello"
curl -sk -m 1 -o "$work/null" "https://127.0.0.1:$https/events" || true # a client that leaves
resume() { # version and options of openssl: a handshake that keeps its session, and one with it
  printf 'GET /api/hello HTTP/1.0\r\n\r\n' | openssl s_client -quiet -connect "127.0.0.1:$https" "$@" -sess_out "$work/session" >"$work/null" 2>&1 || true
  printf 'GET /api/hello HTTP/1.0\r\n\r\n' | openssl s_client -quiet -connect "127.0.0.1:$https" "$@" -sess_in "$work/session" >"$work/null" 2>&1 || true
}
resume -tls1_2 -no_ticket
resume -tls1_3
sleep 3 # longer than between scrapes

requests_of='webproxy_requests_seconds_count{server="webproxy",'
check "HTTP/1.1 requests" "$(answered "$work/h1.load")" "$(query "sum(${requests_of}status=\"200\",protocol=\"HTTP/1.1\",method=\"GET\"})")"
# and the curl through the relay
check "HTTP/2 requests" "$(($(answered "$work/h2.load") + 1))" "$(query "sum(${requests_of}status=\"200\",protocol=\"HTTP/2.0\",method=\"GET\",error=\"none\"})")"
check "answers with 503" 7 "$(query "sum(${requests_of}status=\"503\"})")"
check "requests of an unknown method" 5 "$(query "sum(${requests_of}method=\"other\"})")"
check "TLS handshakes" 58 "$(query 'sum(webproxy_handshakes_total)')"
check "resumptions by a session id of TLS 1.2" 1 "$(query 'sum(webproxy_handshakes_total{version="TLSv1.2",resumed="yes"})')"
check "resumptions by a ticket of TLS 1.3" 1 "$(query 'sum(webproxy_handshakes_total{version="TLSv1.3",resumed="yes"})')"
check "clients that left" 1 "$(query "sum(${requests_of}error=\"CLIENT_ABORTED\"})")"
check "relays" 1 "$(query 'sum(webproxy_relays_seconds_count)')"

for at in "$demo_metrics" "$relay_metrics"; do
  curl -sS "http://127.0.0.1:$at/metrics" >"$work/metrics"
  check "promtool on $(grep -c '^webproxy' "$work/metrics") lines of webproxy" "" "$(promtool check metrics <"$work/metrics" 2>&1 || true)"
done

python3 - "$dashboard" "http://$prometheus_at" <<'PY' || failed=1
import json, sys, urllib.parse, urllib.request
empty = count = 0
for panel in json.load(open(sys.argv[1]))['panels']:
    for target in panel['targets']:
        expression = target['expr'].replace('$__rate_interval', '1m').replace('$server', '.*')
        with urllib.request.urlopen(sys.argv[2] + '/api/v1/query?' + urllib.parse.urlencode({'query': expression})) as answer:
            result = json.load(answer)
        count += 1
        if result['status'] != 'success' or not result['data']['result']:
            empty += 1
            print(f'no data: {panel["title"]}: {expression}')
print(f'{count} queries of the dashboard, {empty} without data')
sys.exit(1 if empty or not count else 0)
PY
exit $failed
