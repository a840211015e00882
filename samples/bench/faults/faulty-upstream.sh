#!/usr/bin/env bash
# One route's upstream refuses, resets, hangs, trickles and sends garbage, at random, under load; a good client on another route must see no error and
# hardly wait longer. nginx has the same clients and upstreams beside it: where its good client waits as long, the machine is to blame. Ends with 1 when the rule
# is broken.
#
# Options by environment: JAR, JAVA (java), JVM (-Xmx256m), SECONDS_EACH (40), RATE (requests a second to the faulty upstream at most, 4000), THREADS
# (clients that send them, 256), PEER (nginx; empty for none), SECONDS_WARM (5).
set -euo pipefail
cd "$(dirname "$0")/../tools"
# shellcheck source=common.sh
. ./common.sh
need python3
seconds=${SECONDS_EACH:-40}
rate=${RATE:-4000}
threads=${THREADS:-256}
peer=${PEER-nginx}
[ -z "$peer" ] || command -v nginx >/dev/null || die "nginx is needed and not installed."
mkdir "$work/classes"
"${java%java}javac" -d "$work/classes" Bystander.java FaultyUpstream.java
certificate

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

"$java" -jar "$jar" service >"$work/service.out" 2>"$work/service.err" &
pids+=($!)
ready $! service
service=${uri%/}
bad=$(free_port)
"$java" -Xmx256m -XX:+UseSerialGC -cp "$work/classes" FaultyUpstream upstream "$bad" >"$work/bad.out" 2>&1 &
pids+=($!)

alone() { # pid: waits until the good client has been alone for long enough
  until grep -q '^alone' "$work/bystander.out"; do
    kill -0 "$1" 2>/dev/null || die "the good client has ended: $(head -n 3 "$work/bystander.out")"
    sleep 0.1
  done
}

beside() { # name, port: the good client alone for 10 s, then beside the clients of the faulty upstream
  : >"$work/bystander.out"
  "$java" -Xmx64m -XX:+UseSerialGC -cp "$work/classes" Bystander "http://127.0.0.1:$2/" "$work/cert.pem" 10 "$seconds" >"$work/bystander.out" 2>&1 &
  local bystander=$!
  alone "$bystander"
  "$java" -Xmx256m -XX:+UseSerialGC -cp "$work/classes" FaultyUpstream clients "$2" /faulty/x $((seconds - 1)) "$rate" "$threads" >"$work/clients.out" 2>&1 &
  local clients=$!
  local good=true
  wait "$bystander" || good=false
  # without faults, or without answers, nothing is shown
  wait "$clients" || good=false
  echo "$1"
  sed 's/^/  /' "$work/bystander.out" "$work/clients.out"
  "$good"
}

# shellcheck disable=SC2086 # options are words
"$java" ${JVM:--Xmx256m} -jar "$jar" expose --plain --to "$service" --route "/faulty/=http://127.0.0.1:$bad" --external-port 0 --bind 127.0.0.1 \
  >"$work/proxy.out" 2>"$work/proxy.err" &
pids+=($!)
ready $! proxy
port=${uri##*:}
port=${port%/}
# a JVM that has compiled nothing yet is no rule's matter
"$java" -Xmx256m -cp "$work/classes" FaultyUpstream clients "$port" /faulty/x "${SECONDS_WARM:-5}" "$rate" "$threads" >/dev/null || true
broken=0
beside webproxy "$port" || broken=1
grep -c . "$work/proxy.err" | sed 's/^/  lines in the log: /'

if [ -n "$peer" ]; then
  port=$(free_port)
  cat >"$work/nginx.conf" <<NGINX
daemon off;
pid $work/nginx.pid;
error_log $work/nginx.log error;
worker_processes 2;
events { worker_connections 4096; }
http {
  access_log off;
  keepalive_requests 1000000;
  client_body_temp_path $work/t1; proxy_temp_path $work/t2; fastcgi_temp_path $work/t3; uwsgi_temp_path $work/t4; scgi_temp_path $work/t5;
  upstream good { server ${service#http://}; keepalive 64; }
  upstream bad { server 127.0.0.1:$bad max_fails=0; keepalive 64; }
  server {
    listen 127.0.0.1:$port;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    location / { proxy_pass http://good; }
    location /faulty/ { proxy_pass http://bad; }
  }
}
NGINX
  nginx -c "$work/nginx.conf" &
  pids+=($!)
  sleep 1
  beside nginx "$port" || echo "  nginx breaks the rule too: the machine is too busy for a verdict"
fi
exit "$broken"
