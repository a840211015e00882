# What the measurements of tunnels have in common; sourced after common.sh. A root certificate and names under internal-server.local; agents, public and private
# proxies. Each function puts what it starts into variables that its comment names.
# shellcheck shell=bash disable=SC2034,SC2154
stopped() { # a process that is stopped doesn't hear that it should end
  [ ${#pids[@]} -eq 0 ] || kill -CONT "${pids[@]}" 2>/dev/null
  cleanup
}
trap stopped EXIT
keys=$work/keys
agents=$work/agents
domain=internal-server.local
: >"$agents"
# they are for short runs of little programs: the second compiler would only cost
quick=(-XX:TieredStopAtLevel=1 -XX:+UseSerialGC)

root_certificate() { # root.crt and root.key in the work directory
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=a root" -keyout "$work/root.key" -out "$work/root.crt" 2>/dev/null
}

signed() { # file, names separated by commas: FILE.crt and FILE.key in the work directory, signed by the root
  local subject=/CN=${2%%,*}
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "$subject" -keyout "$work/$1.key" -out "$work/$1.csr" 2>/dev/null
  openssl x509 -req -in "$work/$1.csr" -CA "$work/root.crt" -CAkey "$work/root.key" -CAcreateserial -days 2 \
    -extfile <(echo "subjectAltName=DNS:${2//,/,DNS:}") -out "$work/$1.crt" 2>/dev/null
}

agent() { # name, options of agent-key: its key, and its line in the agents file
  "$java" "${quick[@]}" -jar "$jar" agent-key --name "$1" --out "$keys" "${@:2}" >>"$agents" || die "agent-key failed for $1."
}

launch() { # variable for its process id, name, command…: in the background, its output in the work directory
  : >"$work/$2.out"
  "${@:3}" >"$work/$2.out" 2>>"$work/$2.err" &
  printf -v "$1" %s $!
  pids+=($!)
}

public_proxy() { # name, port, options…: its process id goes into $pid, its identity into $identity, its port into $port
  # shellcheck disable=SC2086 # options are words
  launch pid "$1" ${INSIDE:-} "$java" ${JAVA_OPTS:-} -jar "$jar" public-proxy --listen "$2" --agents "$agents" --identity "$work/public" "${@:3}"
  ready "$pid" "$1"
  identity=$(sed -n 's/^identity //p' "$work/$1.out")
  port=${uri##*:}
  port=${port%/}
}

private_proxy() { # name, agent, HOST:PORT of the public one, options…: its process id goes into $pid
  # shellcheck disable=SC2086 # options are words
  launch pid "$1" ${INSIDE:-} "$java" ${JAVA_OPTS:-} -jar "$jar" private-proxy --connect "$3" --server "$identity" --identity "$keys/$2" "${@:4}"
  ready "$pid" "$1"
}

same() {
  if [ "$1" = "$2" ]; then echo "$1"; else echo "'$1' (expected: '$2')"; return 1; fi
}

ran=0 failed=0
told() { # name, result, milliseconds: a line with what the file said/NAME ends with
  ran=$((ran + 1))
  [ "$2" = ok ] || failed=$((failed + 1))
  local lines=1
  [ "$2" = ok ] || lines=3
  printf '%-26s %-6s %7s ms  %s\n' "$1" "$2" "$3" "$(tail -n $lines "$work/said/$1" | tr '\n' ' ' | cut -c 1-300)"
}

alone() { # name, command…, which takes a bounded time
  local from result
  mkdir -p "$work/said"
  from=$(date +%s%N)
  "${@:2}" >"$work/said/$1" 2>&1 && result=ok || result=FAILED
  told "$1" "$result" $((($(date +%s%N) - from) / 1000000))
}

complaints() { # log…: prints what no log should have
  grep -hE '^[^ ]+ ERROR |Exception|^\s+at ' "$@" | head -n 5
}

inner_server() { # root.crt, inner.crt; an nginx that answers /jsonrpc for test.$domain over TLS; its port goes into $port
  root_certificate
  signed inner "test.$domain"
  local user=
  [ "$(id -u)" -ne 0 ] || user="user root;"
  chmod 711 "$work"
  free_port
  cat >"$work/nginx.conf" <<EOF_NGINX
$user
daemon off;
pid $work/nginx.pid;
error_log $work/nginx-error.log warn;
worker_processes 1;
events { worker_connections 8192; }
http {
  access_log off;
  client_body_temp_path $work/body; proxy_temp_path $work/proxy; fastcgi_temp_path $work/fastcgi; uwsgi_temp_path $work/uwsgi; scgi_temp_path $work/scgi;
  default_type application/json;
  ssl_certificate $work/inner.crt;
  ssl_certificate_key $work/inner.key;
  server {
    listen ${INNER_HOST:-127.0.0.1}:$port ssl backlog=4096;
    location /jsonrpc { return 200 '{"message": "success"}'; }
  }
}
EOF_NGINX
  # shellcheck disable=SC2086 # options are words
  launch nginx nginx ${INSIDE:-} nginx -e "$work/nginx-error.log" -c "$work/nginx.conf"
}

usage() { # process id: its descriptors, threads, heap after a collection in KiB, resident memory in KiB and CPU ticks, in $descriptors, $threads, $heap, $resident, $ticks
  "$(dirname "$(readlink -f "$(command -v "$java")")")/jcmd" "$1" GC.run >/dev/null 2>&1
  sleep 0.5
  heap=$("$(dirname "$(readlink -f "$(command -v "$java")")")/jcmd" "$1" GC.heap_info 2>/dev/null | sed -n 's/.*used \([0-9]*\)K.*/\1/p' | head -n 1)
  descriptors=$(find "/proc/$1/fd" -mindepth 1 2>/dev/null | wc -l)
  threads=$(sed -n 's/^Threads:\s*//p' "/proc/$1/status")
  resident=$(sed -n 's/^VmRSS:\s*\([0-9]*\) kB/\1/p' "/proc/$1/status")
  ticks=$(awk '{ sub(/.*\) /, ""); print $12 + $13 }' "/proc/$1/stat")
}

told_usage() { # label, process id: prints that
  usage "$2"
  echo "  $1: $descriptors descriptors, $threads threads, heap after a collection $heap KiB, resident $resident KiB"
}
