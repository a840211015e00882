#!/usr/bin/env bash
# Relays from one port that are opened and cut in every phase of their life: before a byte, in the SSH banner, while the target is connected to, idle, with data
# in both directions, half closed by either side. Descriptors, threads and memory outside the heap must be back where they were. Then a server whose port
# rules change under load while ssh sessions to OpenSSH's server are live: none ends, and no new connection and no request is lost. Ends with 1 otherwise.
#
# Options by environment: RELAYS (5000 in each phase), TOGETHER (250 of them at once), SWAPS (500), SESSIONS (20), MODES ("churn swaps"), PROXY (a command
# that takes the place of `java -jar … port`), JAR, JAVA (java), JAVA_OPTS (of the proxy whose relays are cut; -Xmx256m).
# shellcheck disable=SC2317 # the modes are called by name
set -euo pipefail
cd "$(dirname "$0")/../tools"
# shellcheck source=common.sh
. ./common.sh
PATH=$PATH:/usr/sbin:/sbin
need ssh ssh-keygen sshd
together=${TOGETHER:-250}
ulimit -n "$(ulimit -Hn)"
mkdir "$work/classes"
status=0

churn() {
  free_port && target=$port
  free_port && hole=$port
  # shellcheck disable=SC2086 # options are words
  ${PROXY:-"$java" ${JAVA_OPTS:--Xmx256m} -jar "$jar" port} --listen 0 --bind 127.0.0.1 --ssh "127.0.0.1:$target" --match "hang:68616e67=127.0.0.1:$hole" \
    --on-timeout "127.0.0.1:$target" >"$work/proxy.out" 2>"$work/proxy.err" &
  proxy=$!
  pids+=("$proxy")
  ready "$proxy" proxy
  port=${uri##*:}
  "${java%java}javac" -d "$work/classes" PortChurn.java
  "$java" -cp "$work/classes" PortChurn "$proxy" "${port%/}" "$target" "$hole" "${RELAYS:-5000}" "$together" || status=1
  if grep -E '^[^ ]+ (WARN|ERROR) ' "$work/proxy.err" | grep -v 'no target can be connected to' | head -n 5 | grep .; then status=1; fi
}

swaps() {
  ssh_server host1 && sshd_port=$port
  "$java" -Xmx256m -jar "$jar" service >"$work/service.out" 2>"$work/service.err" &
  pids+=($!)
  ready $! service
  "${java%java}javac" -cp "$jar" -d "$work/classes" PortSwaps.java
  "$java" -Dorg.jboss.logging.provider=slf4j -cp "$work/classes:$jar" PortSwaps "$uri" "127.0.0.1:$sshd_port" "$work" "${SWAPS:-500}" "${SESSIONS:-20}" \
    2>"$work/swaps.err" || status=1
  if grep -E '^[^ ]+ (WARN|ERROR) |^Exception|^\s+at ' "$work/swaps.err" | head -n 5 | grep .; then status=1; fi
}

for mode in ${MODES:-churn swaps}; do "$mode"; done
exit "$status"
