# What the measurements of tunnels have in common; sourced after common.sh. A root certificate and names under internal-server.local; agents, public and private
# proxies. Each function puts what it starts into variables that its comment names.
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
