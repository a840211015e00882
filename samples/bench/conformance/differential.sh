#!/usr/bin/env bash
# The cases of hostile HTTP/1.1 that the tests run, put to this proxy, nginx and HAProxy alike: prints who answers what, and what reaches the
# upstream, as a Markdown table with the sentence of the standard that backs us. Plain reverse proxies, default settings, each in front
# of a recording upstream of its own. Ends with status 1 if we take what another one refuses without a reason, or answer otherwise than the case says.
#
# Options by environment: FILES (all; names of case files), ALL (rows that differ; 1 for all rows), JAR, JAVA (java).
# The test classes have to be compiled: mvn -q -B -ntp package -DskipTests.
set -euo pipefail
cd "$(dirname "$0")/../tools"
# shellcheck source=common.sh
. ./common.sh
PATH=$PATH:/usr/sbin:/sbin
need nginx haproxy
tests=../../../webproxy-undertow/target/test-classes
fixtures=../../../webproxy-api/target/test-classes
[ -d "$tests/corpus" ] || die "$tests has no cases: compile the tests by mvn -q -B -ntp package -DskipTests."
echo "$("$java" -jar "$jar" --version), $(nginx -v 2>&1), $(haproxy -v | head -n 1)"
echo
"$java" -cp "$jar:$tests:$fixtures" Differential.java "$tests/corpus" "$work" "${ALL:-}" ${FILES:-}
