#!/usr/bin/env bash
# Programs of others as clients of the proxy, over each protocol that they speak: a GET, an upload of 10 MB that comes back as a hash, events that must not
# be held back, trailers in both directions where the client has them, 100 requests at once, and a download that is given up, which the service must
# see. Chromium opens a WebSocket too, and the access log says by which protocol. Then what lies at the edges of the protocols, sent by hand.
#
# A line for each client: the checks that are right, and those that aren't with what was seen. Ends with 1 when a check fails or fewer than 40 were made. A client
# that isn't installed is skipped, by name. Python's and Java's libraries are installed from their registries.
#
# Options by environment: ONLY (names of clients; default: all), TARGET (webproxy; or nginx), PROGRAMS (a directory to keep libraries in), JAR, JAVA (java), JAVA_OPTS,
# JAVAS (commands of more JVMs whose HttpClient is tried; default: the newest in /usr/lib/jvm).
set -uo pipefail
cd "$(dirname "$0")/../tools" || exit 1
# shellcheck source=common.sh
. ./common.sh
# shellcheck source=checks-common.sh
. ./checks-common.sh
PATH=$PATH:/usr/sbin:/sbin
need openssl python3 keytool go
target=${TARGET:-webproxy}
here=$PWD
libraries=${PROGRAMS:-$work/libraries}
mkdir -p "$libraries"
certificate
ca=$work/cert.pem
keytool -importcert -noprompt -alias ca -file "$ca" -keystore "$work/trust.p12" -storetype PKCS12 -storepass secret >/dev/null 2>&1
trust=(-Djavax.net.ssl.trustStore="$work/trust.p12" -Djavax.net.ssl.trustStorePassword=secret)

python=$libraries/python/bin/python
[ -x "$python" ] || python3 -m venv "$libraries/python" >/dev/null || die "python3 -m venv doesn't work."
"$python" -c 'import h2, hpack, httpx' 2>/dev/null || "$libraries/python/bin/pip" -q install h2 'httpx[http2]' >"$work/pip.log" 2>&1 || die "pip has no h2 and httpx."
if [ ! -d "$libraries/okhttp" ] && command -v mvn >/dev/null; then
  for artifact in com.squareup.okhttp3:okhttp-jvm:5.5.1 com.squareup.okio:okio-jvm:3.18.1 org.jetbrains.kotlin:kotlin-stdlib:2.1.21; do
    mvn -q -B -ntp dependency:copy -Dartifact="$artifact" -DoutputDirectory="$libraries/okhttp" >>"$work/mvn.log" 2>&1 || echo "Maven has no $artifact"
  done
fi

start() { # name, command…: starts it and waits for its `ready URL`, which goes into $uri
  "${@:2}" >"$work/$1.out" 2>"$work/$1.err" &
  pids+=($!)
  ready $! "$1"
}
cp programs/wire.go "$work/main.go"
(cd "$work" && GO111MODULE=off go build -o wire main.go) || die "programs/wire.go doesn't compile."
start service "$work/wire" serve "$here/programs/wire.html"
service=$uri

if [ "$target" = nginx ]; then
  need nginx
  free_port && plain=http://localhost:$port/
  free_port && url=https://localhost:$port/
  user=
  [ "$(id -u)" -ne 0 ] || user="user root;"
  cat >"$work/nginx.conf" <<CONF
$user
daemon off;
worker_processes 1;
pid $work/nginx.pid;
error_log $work/nginx.log warn;
events { worker_connections 4096; }
http {
  access_log $work/access.log;
  client_body_temp_path $work/body;
  proxy_temp_path $work/proxy;
  fastcgi_temp_path $work/fastcgi;
  uwsgi_temp_path $work/uwsgi;
  scgi_temp_path $work/scgi;
  client_max_body_size 0;
  map \$http_upgrade \$upgraded { default upgrade; "" ""; }
  server {
    listen 127.0.0.1:$(tr -cd 0-9 <<<"$plain");
    listen 127.0.0.1:$port ssl http2;
    ssl_certificate $work/cert.pem;
    ssl_certificate_key $work/key.pem;
    location / {
      proxy_pass ${service%/};
      proxy_http_version 1.1;
      proxy_set_header Host \$http_host;
      proxy_set_header Upgrade \$http_upgrade;
      proxy_set_header Connection \$upgraded;
      proxy_buffering off;
    }
  }
}
CONF
  nginx -e "$work/nginx.log" -c "$work/nginx.conf" &
  pids+=($!)
  listens "$port" "$work/nginx.log"
else
  # shellcheck disable=SC2086 # options are words
  start plain "$java" ${JAVA_OPTS:-} -jar "$jar" expose --to "$service" --external-port 0 --bind 127.0.0.1 --plain
  plain=$uri
  # shellcheck disable=SC2086 # options are words
  start proxy "$java" ${JAVA_OPTS:-} -jar "$jar" expose --to "$service" --external-port 0 --bind 127.0.0.1 --cert "$ca" --key "$work/key.pem" \
    --access-log "$work/access.log" --access-log-format JSON
  url=$uri
fi
plain=${plain/127.0.0.1/localhost}
url=${url/127.0.0.1/localhost}

client() { # name, command…: runs it, and says what came of its checks
  [ -z "${ONLY:-}" ] || [[ " $ONLY " == *" $1 "* ]] || return 0
  tell 120 16 "$@"
}

# ---- clients of the command line
is() { # name, seen, expected
  if [ "$2" = "$3" ]; then echo "$1 ok"; else echo "$1 ${2:0:100} (expected: ${3:0:100})" | tr '\n' ' ' && echo; fi
}
json() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }
head -c 10000000 /dev/urandom >"$work/large"
sha=$(sha256sum "$work/large" | cut -d' ' -f1)
late() { # the events as they come: how many, and whether the last is 300 ms after the first
  local line count=0 first=0 last=0
  while IFS= read -r line; do
    [[ $line == data:* ]] || continue
    last=${EPOCHREALTIME/[.,]/}
    [ "$count" -gt 0 ] || first=$last
    count=$((count + 1))
  done
  echo "$count $([ $((last - first)) -gt 300000 ] && echo late || echo 'at once')"
}
with_curl() { # URL, options
  local url=$1 id=curl$RANDOM$RANDOM version=2
  local curl=(curl --silent --show-error --cacert "$ca" --max-time 60 "${@:2}")
  [ "$2" != --http1.1 ] || version=1.1
  is get "$("${curl[@]}" --output /dev/null --write-out '%{http_version} %{http_code}' "${url}wire/echo?a=b")" "$version 200"
  is post "$("${curl[@]}" --data-binary @"$work/large" "${url}wire/echo" | json Sha)" "$sha"
  is chunked "$("${curl[@]}" --header 'Transfer-Encoding: chunked' --data-binary @"$work/large" "${url}wire/echo" | json Sha)" "$sha"
  "${curl[@]}" --dump-header "$work/fields" --output /dev/null --data-binary @"$work/large" "${url}wire/echo"
  is trailers "$(tr -d '\r' <"$work/fields" | sed -n 's/^x-sum: //Ip')" "$sha"
  is events "$("${curl[@]}" --no-buffer "${url}wire/events" | late)" "5 late"
  # curl 7.88 opens no second stream when it knows of HTTP/2 beforehand, whatever the server
  [ "$2" = --http2-prior-knowledge ] || is parallel "$("${curl[@]}" --parallel --parallel-max 100 --write-out '%{http_code}\n' --output /dev/null "${url}wire/echo?n=[1-100]" 2>/dev/null | sort | uniq -c | tr -s ' ')" " 100 200"
  "${curl[@]}" --max-time 1 --output /dev/null "${url}wire/endless?$id" 2>/dev/null
  is cancel "$("${curl[@]}" "${url}wire/gone?$id")" gone
}
with_nghttp() { # URL
  local id=nghttp$RANDOM$RANDOM
  is get "$(nghttp "${1}wire/echo?a=b" 2>/dev/null | json Uri)" "/wire/echo?a=b"
  is post "$(nghttp --data="$work/large" "${1}wire/echo" 2>/dev/null | json Sha)" "$sha"
  is trailers "$(nghttp --data="$work/large" --no-content-length --trailer 'x-mine: 1' "${1}wire/echo" 2>/dev/null | json Trailers)" "{'X-Mine': ['1']}"
  is events "$(stdbuf -oL nghttp "${1}wire/events" 2>/dev/null | late)" "5 late"
  is parallel "$(nghttp --multiply=100 "${1}wire/echo?a=b" 2>/dev/null | grep -c '"Uri":"/wire/echo?a=b"')" 100
  timeout 1 nghttp --null-out "${1}wire/endless?$id" >/dev/null 2>&1
  is cancel "$(nghttp "${1}wire/gone?$id" 2>/dev/null)" gone
}
with_chromium() { # URL, the service's URL
  local pid
  chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync \
    --ignore-certificate-errors --user-data-dir="$work/chromium" --remote-debugging-port=0 "${1}wire/page" >/dev/null 2>&1 &
  pid=$!
  curl --silent --max-time 90 "${2}wire/report"
  kill "$pid"
  wait "$pid" 2>/dev/null
  # what the proxy says of the handshake, before the protocol of the upstream; nginx writes the request line
  is websocket-over-h2 "$(grep '/wire/socket' "$work/access.log" | tail -n 1 | grep -oE 'HTTP/[0-9.]+' | head -n 1 | sed 's/\.0$//')" HTTP/2
}
export -f with_curl with_nghttp with_chromium is json late
export ca work sha

h2c=
[ "$(curl -s -o /dev/null --max-time 5 --http2-prior-knowledge -w '%{http_version}' "${plain}wire/echo" 2>/dev/null)" != 2 ] || h2c=1
client curl-h1-plain bash -c 'with_curl "$1" --http1.1' - "$plain"
client curl-h1 bash -c 'with_curl "$1" --http1.1' - "$url"
client curl-h2 bash -c 'with_curl "$1" --http2' - "$url"
if [ -n "$h2c" ]; then client curl-h2c bash -c 'with_curl "$1" --http2-prior-knowledge' - "$plain"; else without curl-h2c "a proxy that speaks it in cleartext"; fi
if has nghttp; then client nghttp bash -c 'with_nghttp "$1"' - "$url"; else without nghttp nghttp; fi
client go-h1 env SSL_CERT_FILE="$ca" "$work/wire" h1 "$url"
client go-h2 env SSL_CERT_FILE="$ca" "$work/wire" h2 "$url"
client httpx-h1 "$python" programs/wire.py httpx h1 "$url" "$ca"
client httpx-h2 "$python" programs/wire.py httpx h2 "$url" "$ca"
client python-h2 "$python" programs/wire.py h2 "$url" "$ca"
if [ -n "$h2c" ]; then client python-h2c "$python" programs/wire.py h2 "$plain" "$ca"; else without python-h2c "a proxy that speaks it in cleartext"; fi
newest=$(for jvm in /usr/lib/jvm/*/; do [ ! -x "$jvm/bin/java" ] || sed -n "s|^JAVA_VERSION=\"\([0-9]*\).*|\1 ${jvm}bin/java|p" "$jvm/release" 2>/dev/null; done | sort -n | tail -n 1 | cut -d' ' -f2)
for jvm in "$java" ${JAVAS:-$newest}; do
  version=$("$jvm" -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p')
  for protocol in h1 h2; do client "java$version-$protocol" "$jvm" "${trust[@]}" programs/Wire.java "$protocol" "$url"; done
done
if [ -d "$libraries/okhttp" ]; then
  for protocol in h1 h2; do client "okhttp-$protocol" "$java" "${trust[@]}" -cp "$libraries/okhttp/*" programs/WireOkHttp.java "$protocol" "$url"; done
else without okhttp Maven; fi
if has chromium; then client chromium bash -c 'with_chromium "$1" "$2"' - "$url" "$service"; else without chromium chromium; fi
client edges-h1-plain "$python" programs/wire.py edges h1 "$plain" "$ca"
client edges-h1 "$python" programs/wire.py edges h1 "$url" "$ca"
client edges-h2 "$python" programs/wire.py edges h2 "$url" "$ca"
if [ -n "$h2c" ]; then client edges-h2c "$python" programs/wire.py edges h2 "$plain" "$ca"; else without edges-h2c "a proxy that speaks it in cleartext"; fi
for log in plain proxy; do grep -E '^[^ ]+ (WARN|ERROR) ' "$work/$log.err" 2>/dev/null | head -n 5; done

least=40
[ -z "${ONLY:-}" ] || least=0
summary "$least"
