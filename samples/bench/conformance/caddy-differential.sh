#!/usr/bin/env bash
# The same sites in Caddy (handle, handle_path, sub-domains) and in this proxy, asked for the same hosts and paths: prints, as a Markdown table,
# which upstream got what path on both sides, and why where they differ. Ends with status 1 if a difference has no reason, or a reason no
# difference. Everything listens on free ports of the loopback address; Caddy has no admin endpoint and keeps nothing.
#
# Options by environment: CADDY (caddy), JAR, JAVA (java).
# The test classes have to be compiled: mvn -q -B -ntp package -DskipTests.
set -euo pipefail
cd "$(dirname "$0")/../tools"
# shellcheck source=common.sh
. ./common.sh
caddy=${CADDY:-caddy}
need "$caddy"
fixtures=../../../webproxy-api/target/test-classes
[ -d "$fixtures/io/webproxy/testing" ] || die "$fixtures is missing: compile the tests by mvn -q -B -ntp package -DskipTests."
echo "$("$java" -jar "$jar" --version), Caddy $("$caddy" version)"
echo
HOME=$work XDG_CONFIG_HOME=$work XDG_DATA_HOME=$work "$java" -cp "$jar:$fixtures" CaddyDifferential.java "$caddy" "$work"
