#!/usr/bin/env bash
# CPU time of a proxy per request, or per MB: nginx, HAProxy, stock Undertow and this proxy with all its limits on, in turns, in front of the same upstream.
#
# The time is user and system time of all threads of the proxy, from /proc. Each proxy has one worker on processor 0; the load (h2load) and the upstream, an
# nginx, are on processor 1. Scenarios: h1 (cleartext, kept-alive), h1-tls, h2-tls (16 connections of 32 streams), bulk (downloads by
# HTTP/1.1 over TLS, per MB). Prints medians and their ratio to nginx. Ends with 1 when this proxy's ratio is above its target or it needs more than
# stock Undertow, and with 2 when a request was not answered right or nothing was measured.
#
# JVMs are warmed up in several runs: each of the first ten or so opens new connections, after which HotSpot throws compiled code away and compiles it again, for two
# seconds or so. With one long run that would be part of the rounds that are measured.
#
# Options by environment: ROUNDS (5), REQUESTS (per measurement, 100000), WARM (requests that warm the JVMs up in each scenario, 640000), WARM_RUNS (in
# so many runs, 16), SCENARIOS, PROXIES (nginx haproxy undertow webproxy), TARGETS (h1=1.35 h1-tls=1.25 h2-tls=1.1 bulk=1.0), JAR, JAVA (java), JAVA_OPTS.
set -euo pipefail
cd "$(dirname "$0")/../tools"
# shellcheck source=common.sh
. ./common.sh
# shellcheck source=cost-common.sh
. ./cost-common.sh

requests=${REQUESTS:-100000}
scenarios=${SCENARIOS:-h1 h1-tls h2-tls bulk}
proxies=${PROXIES:-nginx haproxy undertow webproxy}
targets=${TARGETS:-h1=1.35 h1-tls=1.25 h2-tls=1.1 bulk=1.0}
megabytes=8 # of one download

[[ " $proxies " != *" haproxy "* ]] || need haproxy

certificate
cat "$work/cert.pem" "$work/key.pem" >"$work/both.pem"
openssl pkcs12 -export -in "$work/cert.pem" -inkey "$work/key.pem" -passout pass:secret -out "$work/keys.p12"
mkdir "$work/www"
head -c $((megabytes * 1000000)) /dev/urandom >"$work/www/bulk"
free_port && upstream_port=$port

nginx_server upstream "$upstream_port" taskset -c 1 <<CONF
  sendfile on;
  server {
    listen 127.0.0.1:$upstream_port backlog=4096;
    location / {
      default_type text/plain;
      return 200 "$(printf 'x%.0s' {1..100})";
    }
    location = /bulk { root $work/www; }
  }
CONF

declare -A pid_of port_of # by proxy and scenario
start_nginx() {
  free_port && local plain=$port
  free_port && local tls=$port
  nginx_server proxy "$plain" taskset -c 0 <<CONF
  upstream service {
    server 127.0.0.1:$upstream_port;
    keepalive 1024;
    keepalive_requests 1000000000;
  }
  server {
    listen 127.0.0.1:$plain backlog=4096;
    listen 127.0.0.1:$tls ssl http2 backlog=4096;
    ssl_certificate $work/cert.pem;
    ssl_certificate_key $work/key.pem;
    location / {
      proxy_pass http://service;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host \$http_host;
      proxy_set_header X-Forwarded-For \$remote_addr;
      proxy_set_header X-Forwarded-Proto \$scheme;
      proxy_set_header X-Forwarded-Host \$http_host;
      proxy_set_header X-Forwarded-Port \$server_port;
      proxy_set_header X-Real-IP \$remote_addr;
    }
  }
CONF
  serves nginx "$nginx_pid" "$plain" "$nginx_pid" "$tls"
}
start_haproxy() {
  free_port && local plain=$port
  free_port && local tls=$port
  cat >"$work/haproxy.cfg" <<CONF
global
  nbthread 1
  maxconn 8192
defaults
  mode http
  option forwardfor
  http-reuse always
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend front
  bind 127.0.0.1:$plain
  bind 127.0.0.1:$tls ssl crt $work/both.pem alpn h2,http/1.1
  http-request set-header X-Forwarded-Proto %[ssl_fc,iif(https,http)]
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  default_backend service
backend service
  server a 127.0.0.1:$upstream_port
CONF
  taskset -c 0 haproxy -f "$work/haproxy.cfg" -db >"$work/haproxy.out" 2>&1 &
  pids+=($!)
  listens "$plain" "$work/haproxy.out"
  serves haproxy $! "$plain" $! "$tls"
}
start_undertow() {
  # shellcheck disable=SC2086 # options are words
  taskset -c 0 "$java" ${JAVA_OPTS:-} -cp "$jar" StockUndertow.java "http://127.0.0.1:$upstream_port" "$work/keys.p12" secret 1 >"$work/undertow.out" 2>"$work/undertow.err" &
  pids+=($!)
  ready $! undertow
  serves undertow $! "${uri% *}" $! "${uri#* }"
}
start_webproxy() {
  local front name ports=() starts=()
  for name in plain tls; do
    front=(--plain)
    [ "$name" = plain ] || front=(--cert "$work/cert.pem" --key "$work/key.pem")
    # shellcheck disable=SC2086 # options are words
    taskset -c 0 "$java" ${JAVA_OPTS:-} -jar "$jar" expose --internal-port "$upstream_port" --external-port 0 --bind 127.0.0.1 --io-threads 1 "${front[@]}" \
      >"$work/$name.out" 2>"$work/$name.err" &
    pids+=($!)
    starts+=($!)
    ready $! "$name"
    ports+=("$(sed 's|.*:\([0-9]*\)/$|\1|' <<<"$uri")")
  done
  serves webproxy "${starts[0]}" "${ports[0]}" "${starts[1]}" "${ports[1]}"
}
serves() { # proxy, pid and port of cleartext, pid and port of TLS
  local scenario
  for scenario in h1 h1-tls h2-tls bulk; do
    pid_of[$1 $scenario]=$4
    port_of[$1 $scenario]=$5
  done
  pid_of[$1 h1]=$2
  port_of[$1 h1]=$3
}

load() { # proxy, scenario, requests
  local port=${port_of[$1 $2]} options n=$3 bytes=100 path=
  case $2 in
    h1) options=(--h1 -c 32 "http://127.0.0.1:$port/") ;;
    h1-tls) options=(--h1 -c 32 "https://127.0.0.1:$port/") ;;
    h2-tls) options=(-c 16 -m 32 "https://127.0.0.1:$port/") ;;
    bulk) options=(--h1 -c 4 "https://127.0.0.1:$port/bulk") && bytes=$((megabytes * 1000000)) ;;
    *) die "SCENARIOS: $2 (expected: h1, h1-tls, h2-tls, bulk)" ;;
  esac
  taskset -c 1 h2load -t 1 -n "$n" "${options[@]}" >"$work/h2load.out" 2>&1 || broken "$1, $2: h2load: $(tail -n 1 "$work/h2load.out")"
  awk -v n="$n" -v bytes=$((n * bytes)) -v h2="$([ "$2" != h2-tls ] || echo 1)" '
    /^Application protocol:/ { protocol = $3 }
    /^requests:/ { gsub(",", ""); done = $8 }
    /^status codes:/ { good = $3 }
    /^traffic:/ { data = $NF == "data" ? $(NF - 1) : 0; gsub(/[()]/, "", data) }
    END { exit !(done == n && good == n && data == bytes && (h2 == "" || protocol == "h2")) }' "$work/h2load.out" ||
    broken "$1, $2: not all answers are right: $(grep -E '^(requests|status codes|traffic|Application protocol)' "$work/h2load.out" | tr '\n' ';')"
}

measured() {
  if [ "$1" = bulk ]; then echo $((requests / 1000 + 4)); else echo "$requests"; fi
}
units() {
  if [ "$1" = bulk ]; then echo $(($2 * megabytes)); else echo "$2"; fi
}

for proxy in $proxies; do
  case $proxy in nginx | haproxy | undertow | webproxy) "start_$proxy" ;; *) die "PROXIES: $proxy (expected: nginx, haproxy, undertow, webproxy)" ;; esac
done
echo "$(nginx -v 2>&1); $(haproxy -v 2>/dev/null | head -n 1 | cut -d' ' -f1-3); $("$java" -jar "$jar" --version); $rounds rounds of $requests requests, JVMs warmed by $warm_runs runs of $((warm / warm_runs)) in each scenario"
warm_jvms "$warm" "$warm_runs"
measure

failed=0
row
for scenario in $scenarios; do
  nginx=$(median "$scenario" nginx)
  undertow=$(median "$scenario" undertow)
  for proxy in $proxies; do
    own=$(median "$scenario" "$proxy")
    [ -n "$own" ] || broken "$proxy, $scenario: nothing was measured"
    awk -v own="$own" 'BEGIN { exit !(own > 0) }' || broken "$proxy, $scenario: too few requests to measure, raise REQUESTS"
    verdict=
    if [ "$proxy" = webproxy ]; then
      target=$(tr ' ' '\n' <<<"$targets" | sed -n "s/^$scenario=//p")
      verdict=$(awk -v own="$own" -v nginx="${nginx:-0}" -v undertow="${undertow:-0}" -v target="${target:-0}" 'BEGIN {
        if (nginx > 0 && target > 0) printf "%s (target: %s x nginx)", (own / nginx <= target ? "ok" : "FAILED"), target
        if (undertow > 0 && own > undertow) printf "%sFAILED: more than stock Undertow", (nginx > 0 ? "; " : "") }')
      [[ $verdict != *FAILED* ]] || failed=1
    fi
    row "$scenario" "$proxy" "$own" "$nginx" "$verdict"
  done
done
exit "$failed"
