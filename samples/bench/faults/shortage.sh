#!/usr/bin/env bash
# Takes all file descriptors of a proxy, or all its memory, and measures how soon a new client is served when that is over: within 1 s, also
# by a fresh JVM (on a machine that has nothing else to do). While HTTP/2 streams take what they can get, new clients must be answered, with 503 at least. SIGTERM must end the proxy after
# each. Ends with 1 when a rule is broken, or when nothing was short: of descriptors a quarter has to be in use at least; of memory the proxy has to say that it refuses
# connections, or to answer requests by 503, or its heap has to be full to three quarters after a collection. What was seen is printed.
#
#   clients    more clients than descriptors, each of which starts a request or a TLS handshake and says no more
#   streams    more requests than descriptors for upstream connections, whose answers the upstream holds back
#   elsewhere  no descriptor is left at all, whoever has taken them, for 10 s
#   idle       6,000 idle connections of one client with a small heap
#   transfers  2,000 endless downloads of which nothing but the status is read, with a small heap
#
# Some cases have an upstream that speaks HTTP/2 (h2c), whose connections are few and carry many streams.
#
# Names of cases may be given, such as streams:1024:cold:tls or transfers:16m:warm:tls:h2c; without them all are run, which takes some minutes. Loopback only.
# Options by environment: JAR, JAVA (java).
set -euo pipefail
cd "$(dirname "$0")/../tools"
# shellcheck source=common.sh
. ./common.sh
need openssl prlimit
cases=("$@")
if [ ${#cases[@]} -eq 0 ]; then
  for limit in 256 1024 4096; do
    for state in cold warm; do
      for front in plain tls; do
        cases+=("clients:$limit:$state:$front" "streams:$limit:$state:$front")
      done
    done
  done
  cases+=(elsewhere:256:cold:plain elsewhere:256:cold:tls elsewhere:1024:warm:plain elsewhere:1024:warm:tls)
  cases+=(idle:24m:cold:tls idle:24m:warm:plain transfers:16m:cold:plain transfers:16m:warm:tls)
  cases+=(streams:256:cold:plain:h2c streams:1024:warm:plain:h2c elsewhere:1024:cold:tls:h2c transfers:16m:cold:plain:h2c transfers:16m:warm:tls:h2c)
fi
certificate
mkdir "$work/classes"
"${java%java}javac" -d "$work/classes" Shortage.java
ulimit -n "$(ulimit -Hn)"

"$java" -Xmx1500m -cp "$work/classes" Shortage "$jar" "$java" "$work/cert.pem" "$work/key.pem" "$work" "${cases[@]}"
