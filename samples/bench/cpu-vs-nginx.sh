#!/usr/bin/env bash
# CPU time per request: nginx and this proxy in turns, each in front of the same upstream.
#
# Both terminate TLS for kept-alive HTTP/1.1 connections and keep connections to the upstream, a second nginx that answers
# 100 bytes. The time is user and system time of all threads of the proxy's processes, from /proc, so that it does not
# matter that wrk runs on the same processors. With nothing else running it repeats within a few percent. Ends with 1 when a request fails.
#
# Options by environment: ROUNDS (3), SECONDS_PER_ROUND (8), WARMUP (10 s), CONNECTIONS (32), JAR, JAVA (java),
# JAVA_OPTS.
set -euo pipefail
cd "$(dirname "$0")"
# shellcheck source=common.sh
. ./common.sh
PATH=$PATH:/usr/sbin:/sbin
need wrk nginx openssl

rounds=${ROUNDS:-3}
seconds=${SECONDS_PER_ROUND:-8}
warmup=${WARMUP:-10}
connections=${CONNECTIONS:-32}

free_port && upstream_port=$port
free_port && nginx_port=$port

certificate

user=
[ "$(id -u)" -ne 0 ] || user="user root;"
common="$user
daemon off;
worker_processes 2;
error_log $work/nginx-error.log warn;
events { worker_connections 4096; }"
temp="access_log off;
  client_body_temp_path $work/body;
  proxy_temp_path $work/proxy;
  fastcgi_temp_path $work/fastcgi;
  uwsgi_temp_path $work/uwsgi;
  scgi_temp_path $work/scgi;
  keepalive_requests 1000000000;"

cat >"$work/upstream.conf" <<EOF
$common
pid $work/upstream.pid;
http {
  $temp
  server {
    listen 127.0.0.1:$upstream_port;
    location / {
      default_type text/plain;
      return 200 "$(printf 'x%.0s' {1..100})";
    }
  }
}
EOF
cat >"$work/proxy.conf" <<EOF
$common
pid $work/proxy.pid;
http {
  $temp
  upstream service {
    server 127.0.0.1:$upstream_port;
    keepalive 128;
    keepalive_requests 1000000000;
  }
  server {
    listen 127.0.0.1:$nginx_port ssl;
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
}
EOF

nginx -e "$work/nginx-error.log" -c "$work/upstream.conf" &
pids+=($!)
nginx -e "$work/nginx-error.log" -c "$work/proxy.conf" &
nginx_pid=$!
pids+=("$nginx_pid")
# shellcheck disable=SC2086 # options are words
"$java" ${JAVA_OPTS:-} -jar "$jar" expose --internal-port "$upstream_port" --external-port 0 --bind 127.0.0.1 \
  --io-threads 2 --cert "$work/cert.pem" --key "$work/key.pem" >"$work/ours.out" 2>"$work/ours.err" &
ours_pid=$!
pids+=("$ours_pid")

for _ in $(seq 300); do
  if grep -q '^ready ' "$work/ours.out" && (exec 3<>"/dev/tcp/127.0.0.1/$nginx_port") 2>/dev/null; then break; fi
  kill -0 "$ours_pid" 2>/dev/null || die "the proxy did not start: $(head -n 1 "$work/ours.err")"
  sleep 0.1
done
ours_port=$(sed -n 's|^ready https://[^ ]*:\([0-9]*\)/$|\1|p' "$work/ours.out")
[ -n "$ours_port" ] || die "the proxy was not ready within 30 s: $(head -n 1 "$work/ours.err")"

ticks_of() { # user and system time of a process and its children, in clock ticks
  local all=0 pid stat fields
  for pid in "$1" $(cat "/proc/$1/task/$1/children"); do
    stat=$(cat "/proc/$pid/stat")
    read -ra fields <<<"${stat##*) }"
    all=$((all + fields[11] + fields[12]))
  done
  echo "$all"
}
hertz=$(getconf CLK_TCK)

load() { # seconds, port: prints the number of requests
  wrk -t 2 -c "$connections" -d "${1}s" "https://127.0.0.1:$2/" >"$work/wrk.out" 2>&1 || die "wrk: $(cat "$work/wrk.out")"
  if grep -qE 'Non-2xx|Socket errors' "$work/wrk.out"; then
    die "$(grep -E 'Non-2xx|Socket errors' "$work/wrk.out" | tr -s ' ' | tr '\n' ' ')"
  fi
  awk '/requests in/ { n = $1 } END { print n + 0; exit n == 0 }' "$work/wrk.out" || die "no request was answered."
}

measure() { # name, pid, port, round
  local before after requests
  before=$(ticks_of "$2")
  requests=$(load "$seconds" "$3")
  after=$(ticks_of "$2")
  awk -v round="$4" -v name="$1" -v n="$requests" -v ticks=$((after - before)) -v hz="$hertz" -v s="$seconds" \
    'BEGIN { printf "%-6s %-9s %10d %10.0f %8.2f %9.1f\n", round, name, n, n / s, ticks / hz, ticks / hz * 1e6 / n }' \
    | tee -a "$work/table"
}

median() { # of column 6 for one name
  awk -v name="$1" '$2 == name { print $6 }' "$work/table" | sort -n \
    | awk '{ v[NR] = $1 } END { print (NR % 2) ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

echo "$(nginx -v 2>&1), 2 workers; $("$java" -jar "$jar" --version), 2 IO threads; $connections connections over TLS," \
  "100-byte bodies; warm-up ${warmup} s"
load 1 "$nginx_port" >/dev/null
load "$warmup" "$ours_port" >/dev/null
printf '%-6s %-9s %10s %10s %8s %9s\n' round proxy requests req/s 'CPU s' 'CPU us/req'
for round in $(seq "$rounds"); do
  measure nginx "$nginx_pid" "$nginx_port" "$round"
  measure webproxy "$ours_pid" "$ours_port" "$round"
done
theirs=$(median nginx)
ours=$(median webproxy)
awk -v ours="$ours" -v theirs="$theirs" \
  'BEGIN { printf "median: nginx %.1f us, webproxy %.1f us, ratio %.2f\n", theirs, ours, ours / theirs }'
