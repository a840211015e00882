#!/usr/bin/env bash
# The conformance tests of connectrpc through the proxy: gRPC over HTTP/2, and gRPC-Web over HTTP/2 and HTTP/1.1, each in cleartext and by TLS on both sides of the proxy. The reference client
# calls the reference server, which judge each other strictly; then grpc-go's own client and server do. The same tests run without the proxy first: what fails there too isn't the proxy's.
#
# A line for each run: how many tests have passed. What differs from the direct run is printed in full. Ends with 1 if something differs, or fewer than 500 tests ran. Needs Go and its registry
# (connectrpc.com/conformance), Python and openssl's keytool.
#
# Options by environment: TARGET (webproxy, or nginx), ONLY (names of runs: grpc, grpc-go, web-h2, web-h1; default: all), RUN (a pattern of names of tests, such as '**/unary/**'),
# PROGRAMS (a directory to keep programs in), JAR, JAVA (java), JAVA_OPTS, SERVERS (how many run at once; default: 1, because the tests wait 10 s at most for one).
set -uo pipefail
cd "$(dirname "$0")/../tools" || exit 1
# shellcheck source=common.sh
. ./common.sh
PATH=$PATH:/usr/sbin:/sbin
need go python3 keytool
CONFORMANCE=v1.0.7
programs=${PROGRAMS:-$work/programs}
mkdir -p "$programs"
programs=$(cd "$programs" && pwd)
for program in connectconformance referenceclient referenceserver grpcclient grpcserver; do
  [ -x "$programs/$program" ] || GOBIN=$programs go install "connectrpc.com/conformance/cmd/$program@$CONFORMANCE" 2>"$work/go.log" || die "Go has no $program: $(tail -n 1 "$work/go.log")"
done
JAR=$(cd "$(dirname "$jar")" && pwd)/$(basename "$jar")
export JAR JAVA="$java" LOGS=$work JAVA_OPTS="${JAVA_OPTS:--XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xmx256m}"

config() { # name, protocol, codecs, versions, whether there are TLS and h2c
  {
    echo "features:"
    echo "  protocols: [PROTOCOL_$2]"
    echo "  codecs: [$3]"
    echo "  versions: [$4]"
    echo "  compressions: [COMPRESSION_IDENTITY, COMPRESSION_GZIP]"
    echo "  supportsTls: $5"
    echo "  supportsH2c: $6"
  } >"$work/$1.yaml"
}
config grpc GRPC "CODEC_PROTO, CODEC_JSON" HTTP_VERSION_2 true true
# these two speak no TLS
config grpc-go GRPC CODEC_PROTO HTTP_VERSION_2 false true
config web-h2 GRPC_WEB "CODEC_PROTO, CODEC_JSON" HTTP_VERSION_2 true true
config web-h1 GRPC_WEB "CODEC_PROTO, CODEC_JSON" HTTP_VERSION_1 true false

run() { # name, target: the failed tests, one a line, in a file by both names
  local server=referenceserver client=referenceclient
  [ "$1" != grpc-go ] || server=grpcserver client=grpcclient
  TARGET=$2 "$programs/connectconformance" --conf "$work/$1.yaml" --mode both --max-servers "${SERVERS:-1}" ${RUN:+--run "$RUN"} \
    -- "$programs/$client" ---- python3 "$PWD/programs/grpc_conformance.py" server "$programs/$server" >"$work/$1.$2" 2>&1
  sed -n 's/^FAILED: \(.*\):$/\1/p; s/^FAILED: \([^:]*\)$/\1/p' "$work/$1.$2" | sort >"$work/$1.$2.failed"
  printf '%-8s %-9s %s\n' "$1" "$2" "$(grep -E '^[0-9]+ passed' "$work/$1.$2" || tail -n 1 "$work/$1.$2")"
}
target=${TARGET:-webproxy}
differences=0 ran=0
for name in ${ONLY:-grpc grpc-go web-h2 web-h1}; do
  run "$name" direct
  run "$name" "$target"
  count=$(sed -n 's/^Total cases: \([0-9]*\).*/\1/p' "$work/$name.$target" | tail -n 1)
  ran=$((ran + ${count:-0}))
  comm -13 "$work/$name.direct.failed" "$work/$name.$target.failed" >"$work/differ"
  if [ -s "$work/differ" ]; then
    differences=$((differences + $(wc -l <"$work/differ")))
    # the failure, and what belongs to it
    awk 'NR == FNR { differs["FAILED: " $0 ":"]; next } /^FAILED: / { shown = $0 in differs } /^Total / { shown = 0 } shown { print "    " $0 }' "$work/differ" "$work/$name.$target" | cut -c 1-400
  fi
done
echo "$ran tests through the proxy, $differences differ from the direct run"
[ "$differences" -eq 0 ] && { [ -n "${ONLY:-}${RUN:-}" ] || [ "$ran" -ge 500 ]; }
