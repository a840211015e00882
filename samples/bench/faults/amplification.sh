#!/usr/bin/env bash
# What each hostile request of the corpus costs the proxy, beside a plain GET: processor time and allocated bytes of the IO thread. Ends with 1 when
# one costs 100 times as much. The only measurement that runs on the tests' classes: needs Maven. TIMES=20 says how often each case is run.
set -euo pipefail
cd "$(dirname "$0")/../../.."
front=${1:-H1}
times=${TIMES:-20}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mvn -q -B -ntp test-compile -pl webproxy-api,webproxy-undertow
mvn -q -B -ntp test-compile dependency:build-classpath -pl webproxy-api,webproxy-undertow -DincludeScope=test -Dmdep.outputFile="$work/cp" >/dev/null
exec_path="webproxy-undertow/target/test-classes:webproxy-undertow/target/classes:webproxy-api/target/test-classes:webproxy-api/target/classes:$(cat "$work/cp")"
"${JAVA:-java}" -Xmx1g -Dorg.jboss.logging.provider=slf4j -cp "$exec_path" io.webproxy.corpus.Amplification "$front" "$times"
