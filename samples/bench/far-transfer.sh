#!/usr/bin/env bash
# Large HTTP/2 downloads and uploads over TLS for a client that is far away: a relay delays each direction, and nginx and this proxy take turns behind
# it, in front of the same upstream. What limits them is how far the windows of HTTP/2 and of TCP let the sender go ahead.
#
# Two clients: curl, and a Go program whose windows for a download are larger. Every byte has to arrive. Prints MB/s, the best of ROUNDS each, and the ratio;
# ends with 1 when this proxy reaches less than RATIO of nginx's throughput, and with 2 when a body is lost or changed. The relay's own rate is shown first.
#
# Options by environment: MB (500), ROUNDS (3), DELAY (milliseconds each way, 25), RATIO (0.9), CLIENTS (curl go), PREREAD (nginx's window
# for uploads, 16m; its default, 64k, gives 1.2 MB/s), JAR, JAVA (java), JAVA_OPTS.
set -euo pipefail
cd "$(dirname "$0")"
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

free_port && nginx_port=$port
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
CONF
# shellcheck disable=SC2086 # options are words
start webproxy "$java" ${JAVA_OPTS:-} -jar "$jar" expose --internal-port "$service" --external-port 0 --bind 127.0.0.1 --cert "$work/cert.pem" --key "$work/key.pem"
webproxy_port=$port

declare -A relay
start relay-nginx "$java" DelayRelay.java "$nginx_port" "$delay"
relay[nginx]=$port
start relay-webproxy "$java" DelayRelay.java "$webproxy_port" "$delay"
relay[webproxy]=$port
start relay-plain "$java" DelayRelay.java "$service" "$delay"
plain=$port

head -c "$size" /dev/zero | openssl enc -aes-128-ctr -K 00000000000000000000000000000000 -iv 00000000000000000000000000000000 >"$work/content" 2>/dev/null
hash=$(sha256sum "$work/content" | cut -d' ' -f1)

broken() {
  echo "far-transfer: $*" >&2
  exit 2
}
answered() { # what: checks what the service or the client says of the body
  [ "$(cat "$work/said")" = "$size $hash" ] || broken "$1: $(head -c 200 "$work/said") (expected: $size $hash)"
}
transfer() { # client, up or down, port: puts MB/s into $rate
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
    for way in down up; do
      for proxy in nginx webproxy; do
        transfer "$client" "$way" "${relay[$proxy]}"
        echo "$client $way $proxy $rate" >>"$work/table"
      done
    done
  done
  echo "round $round: $(tail -n $(($(wc -w <<<"$clients") * 4)) "$work/table" | tr '\n' ',' | sed 's/,$//; s/,/, /g')"
done

best() { awk -v c="$1" -v w="$2" -v p="$3" '$1 == c && $2 == w && $3 == p && $4 > m { m = $4 } END { print m + 0 }' "$work/table"; }
failed=0
printf '\n%-6s %-5s %12s %12s %7s\n' client way 'nginx MB/s' 'webproxy MB/s' ratio
for client in $clients; do
  for way in down up; do
    verdict=$(awk -v a="$(best "$client" "$way" nginx)" -v b="$(best "$client" "$way" webproxy)" -v least="$least" -v c="$client" -v w="$way" \
      'BEGIN { printf "%-6s %-5s %12.1f %12.1f %7.2f  %s", c, w, a, b, b / a, (b / a >= least ? "ok" : "FAILED") }')
    echo "$verdict"
    [[ $verdict != *FAILED ]] || failed=1
  done
done
grep -E '^[^ ]+ (WARN|ERROR) ' "$work/webproxy.err" | head -n 5 || true
exit "$failed"
