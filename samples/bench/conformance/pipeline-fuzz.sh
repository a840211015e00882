#!/usr/bin/env bash
# Random requests over connections that are written at random splits: pipelined over HTTP/1.1 (cleartext and TLS), interleaved streams over HTTP/2 (TLS, and
# cleartext where the proxy speaks it). Methods, lengths and chunks, trailers, Expect, padding, windows, pauses and the upstream's framing are
# random; each answer must be that of its request, whole and in order, and the upstream must see each request once. Prints the seed; ends with 1 at
# the first failure, with the seed and the round that repeat it.
#
# With MUTANT=1 it tries itself: a relay to the upstream flips, drops or doubles bytes, or the upstream swaps answers, and each has to be found.
#
# Options by environment: ROUNDS (connections, 2000), SEED (random), ROUND (only this one), PROTOCOLS (h1 h1-tls h2 h2c; default: all that are
# spoken), TARGET (webproxy; or nginx), MUTANT, PROGRAMS (a directory to keep the Python library in), JAR, JAVA (java), JAVA_OPTS.
set -euo pipefail
cd "$(dirname "$0")/../tools"
# shellcheck source=common.sh
. ./common.sh
PATH=$PATH:/usr/sbin:/sbin
target=${TARGET:-webproxy}
need openssl python3 curl
[ "$target" != nginx ] || need nginx

rounds=${ROUNDS:-2000}
seed=${SEED:-$RANDOM$RANDOM}
certificate
libraries=${PROGRAMS:-$work/libraries}
python=$libraries/python/bin/python
[ -x "$python" ] || python3 -m venv "$libraries/python" >/dev/null || die "python3 -m venv doesn't work."
"$python" -c 'import hpack' 2>/dev/null || "$libraries/python/bin/pip" -q install hpack >"$work/pip.log" 2>&1 || die "pip has no hpack: $(tail -n 1 "$work/pip.log")"

start() { # name, command…: starts it and waits for its `ready URL`, which goes into $uri
  "${@:2}" >"$work/$1.out" 2>"$work/$1.err" &
  pids+=($!)
  ready $! "$1"
}

start_webproxy() { # upstream's URL: puts the ports into $plain, $h2c and $tls
  # shellcheck disable=SC2086 # options are words
  start plain "$java" ${JAVA_OPTS:-} -jar "$jar" expose --to "$1" --external-port 0 --bind 127.0.0.1 --plain
  plain=$(sed 's|.*:\([0-9]*\)/$|\1|' <<<"$uri")
  h2c=$plain
  # shellcheck disable=SC2086 # options are words
  start tls "$java" ${JAVA_OPTS:-} -jar "$jar" expose --to "$1" --external-port 0 --bind 127.0.0.1 --cert "$work/cert.pem" --key "$work/key.pem"
  tls=$(sed 's|.*:\([0-9]*\)/$|\1|' <<<"$uri")
}

start_nginx() { # the same
  free_port && plain=$port
  free_port && tls=$port
  free_port && h2c=$port
  nginx_server nginx "$plain" <<CONF
  large_client_header_buffers 8 32k;
  upstream service { server $(sed "s|http://||; s|/$||" <<<"$1"); keepalive 64; }
  server {
    listen 127.0.0.1:$plain;
    listen 127.0.0.1:$h2c http2;
    listen 127.0.0.1:$tls ssl http2;
    ssl_certificate $work/cert.pem;
    ssl_certificate_key $work/key.pem;
    location / {
      proxy_pass http://service;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host \$http_host;
      proxy_buffer_size 64k;
      proxy_buffers 8 64k;
    }
  }
CONF
  export LACKS="hints h2-trailers" # nginx 1.22 takes 103 for the answer, and trailers for a wrong stream
}

spoken() { # the words PROTOCOL=URL of what is to be tried
  local protocol
  for protocol in ${PROTOCOLS:-h1 h1-tls h2 h2c}; do
    case $protocol in
      h1) echo "h1=http://localhost:$plain" ;;
      h1-tls) echo "h1-tls=https://localhost:$tls" ;;
      h2) echo "h2=https://localhost:$tls" ;;
      h2c)
        if [ -n "${PROTOCOLS:-}" ] || [ "$(curl -s -o /dev/null --max-time 5 --http2-prior-knowledge -w '%{http_version}' "http://127.0.0.1:$h2c/x/probe?size=0&frame=length&splits=whole" || true)" = 2 ]; then
          echo "h2c=http://localhost:$h2c"
        else
          echo "h2c isn't spoken in cleartext, and is left out" >&2
        fi ;;
      *) die "PROTOCOLS: $protocol (expected: h1, h1-tls, h2, h2c)" ;;
    esac
  done
}

try() { # upstream's URL as the proxy sees it, its port, rounds
  local targets before=${#pids[@]} status=0
  "start_$target" "$1"
  mapfile -t targets < <(spoken)
  "$python" programs/pipeline.py client "$seed" "$3" "$2" "$work/cert.pem" "${targets[@]}" || status=$?
  for log in plain tls; do grep -E '^[^ ]+ (WARN|ERROR) ' "$work/$log.err" 2>/dev/null | head -n 5 || true; done
  grep -E '\[(error|crit|alert)\]' "$work/nginx.log" 2>/dev/null | grep -v 'prematurely closed' | head -n 5 || true
  kill "${pids[@]:before}" 2>/dev/null || true
  wait "${pids[@]:before}" 2>/dev/null || true
  pids=("${pids[@]:0:before}")
  return "$status"
}

if [ -z "${MUTANT:-}" ]; then
  echo "seed $seed, $rounds rounds, through $target"
  start upstream "$python" programs/pipeline.py upstream
  port=${uri##*:}
  try "$uri" "${port%/}" "$rounds" || exit 1
  exit
fi

failed=0
for kind in flip drop double swap; do
  start upstream "$python" programs/pipeline.py upstream "$kind"
  port=${uri##*:}
  port=${port%/}
  upstream_port=$port
  [ "$kind" = swap ] || start relay "$python" programs/pipeline.py relay "$upstream_port" "$kind"
  if try "$uri" "$upstream_port" 300 >"$work/$kind.said"; then
    echo "$kind: NOT FOUND"
    failed=1
  elif grep -q '^FAILED: SEED=' "$work/$kind.said"; then
    echo "$kind: found: $(grep -m 1 '^FAILED' "$work/$kind.said" | cut -c 1-200)"
  else
    echo "$kind: NOT TRIED: $(tail -n 1 "$work/$kind.said")"
    failed=1
  fi
done
exit "$failed"
