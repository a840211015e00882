#!/usr/bin/env bash
# What testssl.sh and sslscan say of the proxy's TLS, with a certificate of a CA that they are told of. Ends with 1 when one of them finds a
# vulnerability, a protocol other than TLS 1.2 and 1.3, or a grade below A.
#
# Options by environment: JAR, JAVA (java), TESTSSL (testssl; only 3.2 and newer grade).
set -euo pipefail
cd "$(dirname "$0")/../tools"
# shellcheck source=common.sh
. ./common.sh
testssl=${TESTSSL:-testssl}
need openssl "$testssl" sslscan
(
  cd "$work"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=scan-ca -keyout ca.key -out ca.pem \
    -addext keyUsage=critical,keyCertSign 2>/dev/null
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost -keyout key.pem -out leaf.csr 2>/dev/null
  printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n' >ext
  openssl x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -extfile ext -out leaf.pem 2>/dev/null
  cat leaf.pem ca.pem >cert.pem
)
"$java" -jar "$jar" service >"$work/service.out" 2>"$work/service.err" &
pids+=($!)
ready $! service
"$java" -jar "$jar" expose --to "$uri" --external-port 0 --bind 127.0.0.1 --cert "$work/cert.pem" --key "$work/key.pem" >"$work/proxy.out" 2>"$work/proxy.err" &
pids+=($!)
ready $! proxy
target=${uri#https://}
target=${target%/}
status=0
"$testssl" --quiet --color 0 --warnings off --ip one --add-ca "$work/ca.pem" --jsonfile "$work/testssl.json" "$target" >"$work/testssl.txt" 2>&1 || true
grep -E 'SSLv2|SSLv3|TLS 1|ALPN|Overall Grade|Final Score|VULNERABLE|Forward Secrecy' "$work/testssl.txt" || true
grep -qE 'VULNERABLE \(NOT OK\)|offered \(NOT ok\)' "$work/testssl.txt" && status=1
grep -qE 'Overall Grade +A' "$work/testssl.txt" || status=1
sslscan --no-colour "$target" >"$work/sslscan.txt" || status=1
grep -E '(SSLv|TLSv1)[^ ]* +(en|dis)abled|Heartbleed|vulnerable|secure renegotiation|Accepted|Preferred' "$work/sslscan.txt" || true
grep -qE 'TLSv1\.3 +enabled' "$work/sslscan.txt" || status=1
grep -v 'not vulnerable' "$work/sslscan.txt" | grep -qE '(SSLv2|SSLv3|TLSv1\.0|TLSv1\.1) +enabled| vulnerable to' && status=1
[ "$status" -eq 0 ] && echo "no vulnerability, TLS 1.2 and 1.3 only, grade A: ok" || echo "NOT OK"
exit "$status"
