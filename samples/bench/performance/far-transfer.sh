#!/usr/bin/env bash
# Large HTTP/2 downloads and uploads over TLS for a client that is far away: a relay delays each direction, and nginx and this proxy take turns behind
# it, in front of the same upstream. What limits them is how far the windows of HTTP/2 and of TCP let the sender go ahead.
#
# Then the same for an upstream that is far away and speaks HTTP/2 (h2c), with the client near: the ways called down-h2c and up-h2c, where nginx takes grpc_pass.
#
# Two clients: curl, and a Go program whose windows for a download are larger. Every byte has to arrive. Prints MB/s, the best of ROUNDS each, and the ratio;
# ends with 1 when this proxy reaches less than RATIO of nginx's throughput, and with 2 when a body is lost or changed. The relay's own rate is shown first.
#
# Options by environment: WAYS (down up down-h2c up-h2c), MB (500), ROUNDS (3), DELAY (milliseconds each way, 25), RATIO (0.9), CLIENTS (curl go), PREREAD (nginx's window
# for uploads, 16m; its default, 64k, gives 1.2 MB/s), JAR, JAVA (java), JAVA_OPTS.
set -euo pipefail
cd "$(dirname "$0")/../tools"
# shellcheck source=common.sh
. ./common.sh
PATH=$PATH:/usr/sbin:/sbin
need curl nginx openssl go

size=$((${MB:-500} * 1000000))
rounds=${ROUNDS:-3}
delay=${DELAY:-25}
least=${RATIO:-0.9}
clients=${CLIENTS:-curl go}
preread=${PREREAD:-16m}
ways=${WAYS:-down up down-h2c up-h2c}
certificate

start() { # name, command…: starts it and waits for its `ready URL`, whose port goes into $port
  "${@:2}" >"$work/$1.out" 2>"$work/$1.err" &
  pids+=($!)
  ready $! "$1"
  port=${uri##*:}
  port=${port%/}
}

cp programs/far.go "$work/main.go"
(cd "$work" && GO111MODULE=off go build -o far main.go) || die "programs/far.go doesn't compile."
start service "$work/far" serve
service=$port

start relay-plain "$java" DelayRelay.java "$service" "$delay"
plain=$port

free_port && nginx_port=$port
free_port && nginx_h2c_port=$port
nginx_server nginx "$nginx_port" <<CONF
  http2_body_preread_size $preread;
  upstream service { server 127.0.0.1:$service; keepalive 16; }
  server {
    listen 127.0.0.1:$nginx_port ssl http2;
    ssl_certificate $work/cert.pem;
    ssl_certificate_key $work/key.pem;
    location / {
      proxy_pass http://service;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_request_buffering off;
      proxy_max_temp_file_size 0;
    }
  }
  server {
    listen 127.0.0.1:$nginx_h2c_port ssl http2;
    ssl_certificate $work/cert.pem;
    ssl_certificate_key $work/key.pem;
    location / {
      grpc_pass grpc://127.0.0.1:$plain;
    }
  }
CONF
expose() { # name, upstream: a proxy; its port goes into $port
  # shellcheck disable=SC2086 # options are words
  start "$1" "$java" ${JAVA_OPTS:-} -jar "$jar" expose --to "$2" --external-port 0 --bind 127.0.0.1 --cert "$work/cert.pem" --key "$work/key.pem"
}

declare -A entry # of what is taken, by way and proxy
entry[h2c-nginx]=$nginx_h2c_port
expose webproxy-h2c "h2c://127.0.0.1:$plain"
entry[h2c-webproxy]=$port
expose webproxy "http://127.0.0.1:$service"
start relay-webproxy "$java" DelayRelay.java "$port" "$delay"
entry[webproxy]=$port
start relay-nginx "$java" DelayRelay.java "$nginx_port" "$delay"
entry[nginx]=$port

head -c "$size" /dev/zero | openssl enc -aes-128-ctr -K 00000000000000000000000000000000 -iv 00000000000000000000000000000000 >"$work/content" 2>/dev/null
hash=$(sha256sum "$work/content" | cut -d' ' -f1)

broken() {
  echo "far-transfer: $*" >&2
  exit 2
}
answered() { # what: checks what the service or the client says of the body
  [ "$(cat "$work/said")" = "$size $hash" ] || broken "$1: $(head -c 200 "$work/said") (expected: $size $hash)"
}
transfer() { # client, way, port: puts MB/s into $rate
  set -- "$1" "${2%-h2c}" "$3"
  local begin end url=https://localhost:$3/$2 went=(curl --silent --show-error --fail --http2 --cacert "$work/cert.pem" --max-time 300)
  begin=$(date +%s%N)
  case $1-$2 in
    curl-down) "${went[@]}" --output "$work/got" --write-out '%{http_version}' "$url?size=$size" >"$work/version" || broken "$1 $2: curl ends with $?" ;;
    curl-up) "${went[@]}" --header Expect: --upload-file "$work/content" --output "$work/said" --write-out '%{http_version}' "$url" >"$work/version" || broken "$1 $2: curl ends with $?" ;;
    go-down) SSL_CERT_FILE=$work/cert.pem "$work/far" down "$url?size=$size" "$work/got" >"$work/version" || broken "$1 $2 failed" ;;
    go-up) SSL_CERT_FILE=$work/cert.pem "$work/far" up "$url" "$work/content" "$work/said" >"$work/version" || broken "$1 $2 failed" ;;
    *) die "CLIENTS: $1 (expected: curl, go)" ;;
  esac
  end=$(date +%s%N)
  [ "$(cat "$work/version")" = 2 ] || broken "$1 $2: spoken was HTTP/$(cat "$work/version")"
  if [ "$2" = down ]; then
    cmp -s "$work/got" "$work/content" || broken "$1 $2: not the bytes that were sent"
    rm -f "$work/got"
  else
    answered "$1 $2"
  fi
  rate=$(awk -v n="$size" -v t=$((end - begin)) 'BEGIN { printf "%.1f", n / t * 1000 }')
}

begin=$(date +%s%N)
curl --silent --fail --max-time 300 "http://127.0.0.1:$plain/down?size=$size" | cmp -s - "$work/content" || broken "the relay changes what passes"
end=$(date +%s%N)
echo "$((size / 1000000)) MB, $delay ms each way; the relay alone, in cleartext: $(awk -v n="$size" -v t=$((end - begin)) 'BEGIN { printf "%.0f", n / t * 1000 }') MB/s"

: >"$work/table"
for round in $(seq "$rounds"); do
  for client in $clients; do
    for way in $ways; do
      case $way in *-h2c) through=h2c- ;; *) through= ;; esac
      for proxy in nginx webproxy; do
        transfer "$client" "$way" "${entry[$through$proxy]}"
        echo "$client $way $proxy $rate" >>"$work/table"
      done
    done
  done
  echo "round $round: $(tail -n $(($(wc -w <<<"$clients $clients") * $(wc -w <<<"$ways"))) "$work/table" | tr '\n' ',' | sed 's/,$//; s/,/, /g')"
done

best() { awk -v c="$1" -v w="$2" -v p="$3" '$1 == c && $2 == w && $3 == p && $4 > m { m = $4 } END { print m + 0 }' "$work/table"; }
failed=0
printf '\n%-6s %-8s %12s %12s %7s\n' client way 'nginx MB/s' 'webproxy MB/s' ratio
for client in $clients; do
  for way in $ways; do
    verdict=$(awk -v a="$(best "$client" "$way" nginx)" -v b="$(best "$client" "$way" webproxy)" -v least="$least" -v c="$client" -v w="$way" \
      'BEGIN { printf "%-6s %-8s %12.1f %12.1f %7.2f  %s", c, w, a, b, b / a, (b / a >= least ? "ok" : "FAILED") }')
    echo "$verdict"
    [[ $verdict != *FAILED ]] || failed=1
  done
done
grep -E '^[^ ]+ (WARN|ERROR) ' "$work/webproxy.err" "$work/webproxy-h2c.err" | head -n 5 || true
exit "$failed"
