#!/usr/bin/env bash
# Each trigger of a timeout class, by HTTP/1.1 and HTTP/2, with limits scaled down: which class the access log names, and
# when and how the client was cut off. All rows run side by side; it takes about 20 s and prints a Markdown table.
#
# The moment of the cut is by curl's own clock, without the start of the process and the connection: up to the head from
# when the request went out, after it from the first byte of the response, behind which the only piece of the body comes
# at once. A row is FAILED when the class or the error differs, when the client saw anything but a 504 up to the head and
# an aborted response after it (curl's exit status 18, 56 or 92), or when the cut was not from 50 ms before the limit to
# 350 ms after it: the proxy promises at most 250 ms late, and 100 ms are for all these processes on few processors. 50 ms
# are for a first byte that curl sees late. Beside it stands the whole time of the exchange by the proxy's log.
#
# Options by environment: DEFAULT (1), LONG (3), DOWNLOAD (6), WEBSOCKET (9; each in whole seconds), JAR, JAVA (java),
# JAVA_OPTS (of the proxy).
set -euo pipefail
cd "$(dirname "$0")/../tools"
# shellcheck source=common.sh
. ./common.sh
need curl openssl

declare -A limit=([DEFAULT]=${DEFAULT:-1} [LONG]=${LONG:-3} [DOWNLOAD]=${DOWNLOAD:-6} [WEBSOCKET]=${WEBSOCKET:-9})

certificate

"$java" Upstream.java >"$work/upstream.out" 2>"$work/upstream.err" &
pids+=($!)
ready $! upstream
upstream=$uri
# shellcheck disable=SC2086 # options are words
"$java" ${JAVA_OPTS:-} -jar "$jar" expose --to "$upstream" --external-port 0 --bind 127.0.0.1 \
  --cert "$work/cert.pem" --key "$work/key.pem" --access-log "$work/access.log" \
  --timeout "default=${limit[DEFAULT]}s,long=${limit[LONG]}s,download=${limit[DOWNLOAD]}s,websocket=${limit[WEBSOCKET]}s" \
  >"$work/proxy.out" 2>"$work/proxy.err" &
pids+=($!)
ready $! proxy
proxy=${uri%/}

through() { # curl with the version given
  curl --silent --cacert "$work/cert.pem" --max-time 25 --output /dev/null "$@"
}
# What the first requests load would count as lateness.
for version in --http1.1 --http2; do
  through "$version" "$proxy/warm-up?[1-200]" || die "the proxy doesn't answer: curl's exit status $?"
  through "$version" "$proxy/warm-up?silent" || true
  through "$version" "$proxy/warm-up?stall" || true
done

rows=()
curls=()
row() { # when, trigger, class from the start, class at the end, protocols, path and query, options of curl
  local when=$1 trigger=$2 class=$3 id version
  [ "$3" = "$4" ] || class="$3>$4"
  for version in $5; do
    id=row-${#rows[@]}
    rows+=("$when|$trigger|$version|$class|${limit[$4]}")
    through "--$version" --user-agent "$id" "${@:7}" \
      --write-out '%{http_code} %{time_pretransfer} %{time_starttransfer} %{time_total} %{exitcode} %{http_version}\n' \
      "$proxy$6" >"$work/$id" &
    curls+=($!)
    pids+=($!)
    sleep 0.03 # or the handshakes of all of them get in each other's way
  done
}
request() { # trigger, class, path, options of curl: the upstream never answers
  row head "$1" "$2" "$2" 'http1.1 http2' "$3?silent" "${@:4}"
}
response() { # trigger, class from the start, class at the end, path and query, options of curl: one piece, then silence
  row body "$1" "$2" "$3" 'http1.1 http2' "$4&stall" "${@:5}"
}

handshake=(--header 'Connection: Upgrade' --header 'Upgrade: websocket' --header 'Sec-WebSocket-Version: 13'
  --header 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==')
row body '101 to a handshake' DEFAULT WEBSOCKET http1.1 '/plain?' "${handshake[@]}"
row head 'handshake, path /events' DEFAULT DEFAULT http1.1 '/events?silent' "${handshake[@]}"

request 'plain path' DEFAULT /plain
for word in /api/chat /chat/completions /api/generate /generate /stream /events; do
  request "path $word" LONG "$word"
  request "path /v1${word^^}/x" LONG "/v1${word^^}/x"
done
request 'path /api/chatter/x' LONG /api/chatter/x
request 'path /my-events' DEFAULT /my-events
for type in text/event-stream application/x-ndjson; do
  request "Accept: $type" LONG /plain --header "Accept: $type"
done
request 'Accept: application/octet-stream' DOWNLOAD /plain --header 'Accept: application/octet-stream'
request 'Accept: a list, TEXT/Event-Stream; q=0.5' LONG /plain --header 'Accept: application/json, TEXT/Event-Stream; q=0.5'
request 'Range' DOWNLOAD /plain --range 0-99
for extension in .zip .iso .gguf .safetensors .mp4 .tar.gz .ZIP; do
  request "path /a$extension" DOWNLOAD "/a$extension"
done
request 'path /a.zip/x' DEFAULT /a.zip/x
for segment in /download/x /files/x /v1/DOWNLOAD; do
  request "path $segment" DOWNLOAD "$segment"
done
request 'path /profiles/x' DEFAULT /profiles/x
request 'path /files/stream, both' DOWNLOAD /files/stream

response '200 text/plain' DEFAULT DEFAULT '/plain?'
response '206' DEFAULT DOWNLOAD '/plain?status=206'
response '206, path /stream' LONG DOWNLOAD '/stream?status=206'
response 'Content-Disposition: attachment' DEFAULT DOWNLOAD '/plain?disposition=attachment;filename=a'
response 'Content-Disposition: inline' DEFAULT DEFAULT '/plain?disposition=inline'
response 'Content-Type: text/event-stream' DEFAULT LONG '/plain?type=text/event-stream'
response 'Content-Type: TEXT/Event-Stream;charset=utf-8' DEFAULT LONG '/plain?type=TEXT/Event-Stream;charset=utf-8'
response 'Content-Type: application/x-ndjson' DEFAULT LONG '/plain?type=application/x-ndjson'
response 'event stream, path /files/x' DOWNLOAD DOWNLOAD '/files/x?type=text/event-stream'
response '200 text/plain, path /stream' LONG LONG '/stream?'

for pid in "${curls[@]}"; do
  wait "$pid" || true
done
for _ in $(seq 20); do
  [ "$(grep -c '"row-' "$work/access.log")" -lt ${#rows[@]} ] || break
  sleep 0.1
done

failed=0
echo "| trigger | protocol | class | limit | class seen | error seen | cut after | by the proxy | client saw | |"
echo "|---|---|---|---:|---|---|---:|---:|---|---|"
for i in "${!rows[@]}"; do
  IFS='|' read -r when trigger version class seconds <<<"${rows[i]}"
  read -r status sent first total exit spoken <"$work/row-$i" || die "curl wrote nothing for $trigger."
  line=$(grep "\"row-$i\"" "$work/access.log" || true)
  seen=$(sed -n 's/.* class=\([^ ]*\).*/\1/p' <<<"$line")
  own=$(sed -n 's/.* total=\([^ ]*\).*/\1/p' <<<"$line")
  error=$(sed -n 's/.* error=\([^ ]*\).*/\1/p' <<<"$line")
  if [ "$when" = head ]; then
    cut=$(awk -v from="$sent" -v to="$total" 'BEGIN { printf "%.3f", to - from }')
    wanted=RESPONSE_HEAD_TIMEOUT
  else
    cut=$(awk -v from="$first" -v to="$total" 'BEGIN { printf "%.3f", to - from }')
    wanted=RESPONSE_BODY_IDLE
  fi
  case $when,$status,$exit in
    head,504,0) saw=504 ;;
    body,20[06],18 | body,20[06],56 | body,20[06],92 | body,101,56) saw="$status, aborted (curl $exit)" ;;
    *) saw="$status, curl $exit: FAILED" ;;
  esac
  # curl falls back to HTTP/1.1 without a word
  [ "http$spoken" = "$version" ] || saw="HTTP/$spoken: FAILED"
  verdict=ok
  if [ "$seen" != "$class" ] || [ "$error" != "$wanted" ] || [[ $saw = *FAILED ]] \
    || ! awk -v cut="$cut" -v limit="$seconds" 'BEGIN { exit !(cut >= limit - 0.05 && cut <= limit + 0.35) }'; then
    verdict=FAILED
    failed=$((failed + 1))
  fi
  echo "| $trigger | $version | $class | $seconds s | ${seen:--} | ${error:--} | $cut s | ${own:--} s | $saw | $verdict |"
done
echo
grep -E '^[^ ]+ (WARN|ERROR) ' "$work/proxy.err" | head -n 5 || true
if [ "$failed" -gt 0 ]; then
  echo "FAILED: $failed of ${#rows[@]} rows"
  exit 1
fi
echo "ok: ${#rows[@]} rows"
