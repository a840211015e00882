#!/usr/bin/env bash
# From start() to the end of the first handshake: a certificate that ACME has stored, with a self-signed one behind it, against the same in PEM files. In turn within one
# JVM, and in a JVM of its own each, which is what a restart costs. Ends with 1 if the median with the stored one is more than 50 ms later.
#
# Options by environment: TIMES in one JVM (40), JVMS of each kind (9), JAR, JAVA (java).
set -euo pipefail
cd "$(dirname "$0")/../tools"
# shellcheck source=common.sh
. ./common.sh
need openssl
name=localhost.localdomain
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 90 -subj "/CN=$name" -addext "subjectAltName=DNS:$name" \
  -keyout "$work/key.pem" -out "$work/cert.pem" 2>/dev/null
# a CA that nobody can reach: what is stored is fresh, so nobody asks for more than when to renew
stored=$work/storage/127.0.0.1=9-dir/certificates/$name
mkdir -p "$stored" "$work/classes"
cat "$work/key.pem" "$work/cert.pem" >"$stored/EC"
"${java%java}javac" -cp "$jar" -d "$work/classes" TimeToHandshake.java
run() { # kind, times
  "$java" -cp "$jar:$work/classes" TimeToHandshake "$1" "$work/cert.pem" "$work/key.pem" "$work/storage" https://127.0.0.1:9/dir "$2" 2>"$work/run.err" ||
    die "$(grep -vE ' (INFO|DEBUG) ' "$work/run.err" | head -n 1)"
}
median() { sort -n | sed -n "$((($1 + 1) / 2))p"; }
status=0
verdict() { # what, pem, acme
  awk -v what="$1" -v pem="$2" -v acme="$3" 'BEGIN {
    ok = pem > 0 && acme > 0 && acme - pem <= 50
    printf "%s: PEM files %.1f ms, stored by ACME %.1f ms, difference %.1f ms: %s\n", what, pem, acme, acme - pem, ok ? "ok" : "NOT OK"
    exit !ok
  }' || status=1
}
times=${TIMES:-40}
read -r pem pem90 acme acme90 < <(run both "$times")
verdict "$times in turn in one JVM, medians" "$pem" "$acme"
verdict "  90th percentiles" "$pem90" "$acme90"
jvms=${JVMS:-9}
for _ in $(seq "$jvms"); do
  run pem 1 >>"$work/pem"
  run acme 1 >>"$work/acme"
done
verdict "$jvms JVMs each in turn, medians" "$(median "$jvms" <"$work/pem")" "$(median "$jvms" <"$work/acme")"
exit "$status"
