#!/usr/bin/env bash
# gRPC by programs of others through the proxy: a service in Go, Java and Python, each called by a client in each of these languages, over TLS and in cleartext (h2c). Every client makes calls of all
# four kinds, with metadata, failures, responses that are trailers only, pauses, 16 MB messages, deadlines, cancellation (which the service must see within 100 ms), and 1,000 streams
# at once. Then grpc-go's interop client against its server, every case; clients of Triton and of TensorFlow Serving and stand-ins for these servers; streams with pauses; and, by Python's h2, what calls are answered with that reach no service.
#
# A line for each pair: the checks that are right, and those that aren't with what was seen. Ends with 1 when a check fails or fewer than 100 were made. The libraries are installed from their
# registries; a language whose library can't be had is skipped, by name.
#
# Options by environment: TARGET (webproxy; or nginx, or direct: without a proxy), ONLY (names of pairs, such as go-java, interop or watch; default: all), CHECKS (names of checks; default: all),
# WATCH (seconds of the streams with pauses, 0 for none; default: 20), PROGRAMS (a directory to keep libraries in), JAR, JAVA (java), JAVA_OPTS.
set -uo pipefail
cd "$(dirname "$0")/../tools" || exit 1
# shellcheck source=common.sh
. ./common.sh
# shellcheck source=checks-common.sh
. ./checks-common.sh
PATH=$PATH:/usr/sbin:/sbin
target=${TARGET:-webproxy}
need openssl keytool
here=$PWD
libraries=${PROGRAMS:-$work/libraries}
mkdir -p "$libraries"
libraries=$(cd "$libraries" && pwd)
certificate
ca=$work/cert.pem
keytool -importcert -noprompt -alias ca -file "$ca" -keystore "$work/trust.p12" -storetype PKCS12 -storepass secret >/dev/null 2>&1

# ---- the programs
GRPC=1.85.1 GRPC_GO=v1.85.0
languages=()
if has go && mkdir -p "$libraries/grpc-go" && cd "$libraries/grpc-go" && {
  [ -x echo ] && cmp -s main.go "$here/programs/grpc.go" || {
    cp "$here/programs/grpc.go" main.go
    printf 'module webproxy.io/bench\n\ngo 1.24\n' >go.mod
    go get "google.golang.org/grpc@$GRPC_GO" "google.golang.org/grpc/interop/client@$GRPC_GO" "google.golang.org/grpc/interop/server@$GRPC_GO" &&
      go build -o echo . && go build -o interop-client google.golang.org/grpc/interop/client && go build -o interop-server google.golang.org/grpc/interop/server
  } >"$work/go.log" 2>&1
}; then languages+=(go); else without go "Go and its grpc: $(tail -n 1 "$work/go.log" 2>/dev/null)"; fi
cd "$here" || exit 1
if has mvn && has javac && mkdir -p "$libraries/grpc-java" && cd "$libraries/grpc-java" && {
  [ -f EchoCalls.class ] && [ EchoCalls.class -nt "$here/programs/EchoCalls.java" ] || {
    cat >pom.xml <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion><groupId>io.webproxy</groupId><artifactId>bench</artifactId><version>1</version><dependencies>
<dependency><groupId>io.grpc</groupId><artifactId>grpc-netty-shaded</artifactId><version>$GRPC</version></dependency>
<dependency><groupId>io.grpc</groupId><artifactId>grpc-stub</artifactId><version>$GRPC</version></dependency>
</dependencies></project>
POM
    mvn -q -B -ntp dependency:copy-dependencies -DoutputDirectory=. && javac -d . -cp './*' "$here/programs/EchoCalls.java"
  } >"$work/java.log" 2>&1
}; then languages+=(java); else without java "Maven and grpc-java: $(tail -n 1 "$work/java.log" 2>/dev/null)"; fi
cd "$here" || exit 1
python=$libraries/grpc-python/bin/python
if has python3 && {
  "$python" -c 'import grpc, h2' 2>/dev/null ||
    { python3 -m venv "$libraries/grpc-python" && "$libraries/grpc-python/bin/pip" -q install "grpcio==$GRPC" h2; } >"$work/pip.log" 2>&1
}; then languages+=(python); else without python "pip's grpcio and h2: $(tail -n 1 "$work/pip.log" 2>/dev/null)"; fi

program() { # language, arguments: becomes its service or client
  case $1 in
  go) exec "$libraries/grpc-go/echo" "${@:2}" ;;
  java) exec "$java" -XX:+UseSerialGC -Xmx512m -cp "$libraries/grpc-java:$libraries/grpc-java/*" EchoCalls "${@:2}" ;;
  python) exec "$python" programs/grpc_peer.py "${@:2}" ;;
  esac
}
export -f program
export libraries java python

# ---- the proxies in front of a service
address=
service() { # name, command…: starts it; puts HOST:PORT into $address
  "${@:2}" >"$work/$1.out" 2>"$work/$1.err" &
  pids+=($!)
  ready $! "$1"
  address=$uri
}
declare -A upstreams=() plains=() secures=()
proxies() { # name, HOST:PORT, h2c|tls: two proxies in front of a service; their HOST:PORT go into $plains and $secures
  local name=$1 to=$2 kind=$3
  upstreams[$name]=$to
  case $target in
  direct)
    if [ "$kind" = tls ]; then secures[$name]=$to plains[$name]=; else plains[$name]=$to secures[$name]=; fi
    ;;
  nginx)
    local plain secure scheme=grpc
    need nginx
    [ "$kind" = h2c ] || scheme=grpcs
    free_port && plain=$port
    free_port && secure=$port
    nginx_server "$name" "$secure" <<CONF
  ignore_invalid_headers off;
  upstream service { server $to; keepalive 64; }
  server {
    listen 127.0.0.1:$plain http2;
    listen 127.0.0.1:$secure ssl http2;
    ssl_certificate $work/cert.pem;
    ssl_certificate_key $work/key.pem;
    location / { grpc_pass $scheme://service; grpc_read_timeout 700s; grpc_send_timeout 700s; }
  }
CONF
    plains[$name]=127.0.0.1:$plain secures[$name]=127.0.0.1:$secure
    ;;
  *)
    local to_uri=h2c://$to trust=()
    [ "$kind" = h2c ] || to_uri=https+h2://$to trust=(-Djavax.net.ssl.trustStore="$work/trust.p12" -Djavax.net.ssl.trustStorePassword=secret)
    # shellcheck disable=SC2086 # options are words
    service "$name-plain" "$java" ${JAVA_OPTS:-} ${trust[@]+"${trust[@]}"} -jar "$jar" expose --to "$to_uri" --external-port 0 --bind 127.0.0.1 --plain
    plains[$name]=${address#http://}
    # shellcheck disable=SC2086 # options are words
    service "$name-tls" "$java" ${JAVA_OPTS:-} ${trust[@]+"${trust[@]}"} -jar "$jar" expose --to "$to_uri" --external-port 0 --bind 127.0.0.1 --cert "$ca" --key "$work/key.pem" \
      --access-log "$work/$name-access.log"
    secures[$name]=${address#https://}
    ;;
  esac
  plains[$name]=${plains[$name]%/} secures[$name]=${secures[$name]%/}
  secures[$name]=${secures[$name]/127.0.0.1/localhost}
}

limit=200
pair() { # name, command…: runs it, and says what came of its checks
  [ -z "${ONLY:-}" ] || [[ " $ONLY " == *" ${1%-tls} "* || " $ONLY " == *" $1 "* || " $ONLY " == *" ${1%%-*} "* ]] || return 0
  tell "$limit" 18 "$@"
}

wanted() { [ -z "${ONLY:-}" ] || [[ " $ONLY" == *"$1"* ]]; } # the end of a pair's name, or a part of it
for server in "${languages[@]}"; do
  wanted "-$server" || { [ "$server" != java ] && wanted watch; } || continue
  service "$server" program "$server" serve 127.0.0.1:0
  proxies "$server" "$address" h2c
done
for server in "${languages[@]}"; do
  [ "$server" != java ] && { wanted -to-tls || wanted "-to-tls-$server" || wanted watch; } || continue
  service "$server-over-tls" program "$server" serve localhost:0 "$ca" "$work/key.pem"
  proxies "tls-$server" "$address" tls
done
for server in "${languages[@]}"; do
  [ -n "${upstreams[$server]:-}" ] || continue
  for client in "${languages[@]}"; do
    # shellcheck disable=SC2086 # names of checks are words
    [ -z "${plains[$server]}" ] || pair "$client-$server" bash -c 'program "$@"' - "$client" check "${plains[$server]}" - ${CHECKS:-}
    # shellcheck disable=SC2086
    [ -z "${secures[$server]}" ] || pair "$client-$server-tls" bash -c 'program "$@"' - "$client" check "${secures[$server]}" "$ca" ${CHECKS:-}
  done
done
for server in go python; do
  [ -n "${secures[tls-$server]:-}" ] || continue
  for client in "${languages[@]}"; do
    # shellcheck disable=SC2086
    pair "$client-to-tls-$server" bash -c 'program "$@"' - "$client" check "${secures[tls-$server]}" "$ca" ${CHECKS:-}
  done
done

# ---- grpc-go's interop client
interop() { # HOST:PORT, options
  local case said
  for case in empty_unary large_unary client_streaming server_streaming ping_pong empty_stream timeout_on_sleeping_server cancel_after_begin cancel_after_first_response \
    status_code_and_message special_status_message custom_metadata unimplemented_method unimplemented_service rpc_soak channel_soak; do
    if said=$(timeout 30 "$libraries/grpc-go/interop-client" -server_host "${1%:*}" -server_port "${1##*:}" -test_case "$case" -soak_iterations 20 "${@:2}" 2>&1); then
      echo "$case ok"
    else
      echo "$case $(tail -n 1 <<<"$said")"
    fi
  done
}
export -f interop
if [[ " ${languages[*]} " == *" go "* ]] && wanted interop; then
  free_port
  "$libraries/grpc-go/interop-server" -port "$port" >"$work/interop.out" 2>&1 &
  pids+=($!)
  listens "$port" "$work/interop.out"
  proxies interop "127.0.0.1:$port" h2c
  [ -z "${plains[interop]}" ] || pair interop bash -c 'interop "$@"' - "${plains[interop]}"
  [ -z "${secures[interop]}" ] || pair interop-tls bash -c 'interop "$@"' - "${secures[interop]}" -use_tls -custom_credentials_type "" -ca_file "$ca" -use_test_ca -server_host_override localhost
fi
# ---- the protocols of model servers, by stand-ins made from their own .proto files, and by their own clients
model() { # name, module that it needs, what pip installs
  [[ " ${languages[*]} " == *" python "* ]] && wanted "$1" || return 0
  if ! "$python" -c "import $2" 2>/dev/null && ! "${python%/*}/pip" -q install "${@:3}" >"$work/$1.log" 2>&1; then
    without "$1" "pip's ${*:3}"
    return
  fi
  service "$1" "$python" "programs/grpc_$1.py" serve 127.0.0.1:0
  proxies "$1" "$address" h2c
  [ -z "${plains[$1]}" ] || pair "$1" "$python" "programs/grpc_$1.py" check "${plains[$1]}" -
  [ -z "${secures[$1]}" ] || pair "$1-tls" "$python" "programs/grpc_$1.py" check "${secures[$1]}" "$ca"
}
model triton tritonclient.grpc 'tritonclient[grpc]'
# without TensorFlow itself
"$python" -c 'import numpy, google.protobuf' 2>/dev/null || "${python%/*}/pip" -q install numpy protobuf >>"$work/pip.log" 2>&1 || true
model tfserving tensorflow_serving.apis.prediction_service_pb2_grpc --no-deps tensorflow-serving-api==2.21.0 tensorflow-protobuf==2.11.0

# ---- streams with pauses, all at once
watch() { # name, client, HOST:PORT, CA|-
  [ -n "$3" ] || return 0
  watches+=("$1")
  timeout $((${WATCH:-20} + 60)) bash -c 'program "$@"' - "$2" watch "$3" "$4" "${WATCH:-20}" 10 >"$work/$1.said" 2>"$work/$1.err" &
  watching+=($!)
}
watches=() watching=()
if [ "${WATCH:-20}" -ne 0 ] && wanted watch; then
  for server in "${languages[@]}"; do
    for client in go python; do
      [ "$server" != java ] && [[ " ${languages[*]} " == *" $client "* ]] || continue
      watch "watch-$client-$server" "$client" "${plains[$server]}" -
      watch "watch-$client-$server-tls" "$client" "${secures[$server]}" "$ca"
      watch "watch-$client-to-tls-$server" "$client" "${secures[tls-$server]}" "$ca"
    done
  done
  [ ${#watching[@]} -eq 0 ] || wait "${watching[@]}"
  for name in "${watches[@]}"; do
    pair "$name" bash -c 'cat "$1.said" && tail -n 1 "$1.err" >&2 && grep -q "late$" "$1.err"' - "$work/$name"
    printf '%20s%s\n' '' "$(tail -n 1 "$work/$name.err")"
  done
fi

# ---- calls that reach no service
if [ "$target" = webproxy ] && [[ " ${languages[*]} " == *" python "* ]] && wanted dead; then
  free_port
  # shellcheck disable=SC2086 # options are words
  service dead "$java" ${JAVA_OPTS:-} -jar "$jar" expose --to "h2c://127.0.0.1:$port" --external-port 0 --bind 127.0.0.1 --cert "$ca" --key "$work/key.pem"
  dead() {
    local said
    said=$("$python" programs/grpc_peer.py answers "${1/127.0.0.1/localhost}" "$2" /webproxy.Echo/Unary)
    if [[ $said == *"':status': '200'"*"'grpc-status': '14'"*"END_STREAM" && $(wc -l <<<"$said") -eq 1 ]]; then echo dead ok; else echo "dead $said"; fi
  }
  export -f dead
  pair dead bash -c 'dead "$@"' - "$uri" "$ca"
fi
grep -hE '^[^ ]+ (WARN|ERROR) ' "$work"/*.err 2>/dev/null | sort | uniq -c | head -n 5

least=100
[ -z "${ONLY:-}${CHECKS:-}" ] || least=0
summary "$least"
