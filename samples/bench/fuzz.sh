#!/usr/bin/env bash
# Fuzzes the byte parsers, one after the other, each for some time: Jazzer makes inputs, the fuzz tests judge what comes out. A finding is kept
# as a file beside the seeds, in src/test/resources of its module, where the next test run fails on it; what was learned on the way is kept in
# .cifuzz-corpus of the module. Ends with 1 when there is a finding, or a test that didn't run.
#
# usage: fuzz.sh [Class#method ...]    all fuzz tests, if none is named
# Options by environment: SECONDS_EACH (300), MVN (mvn -o).
set -euo pipefail
cd "$(dirname "$0")/../.."

seconds=${SECONDS_EACH:-300}
read -ra mvn <<<"${MVN:-mvn -o}"

all() { # Class#method of each fuzz test
  local file
  grep -rl --include='*FuzzTest.java' '@FuzzTest' ./*/src/test/java | sort | while read -r file; do
    sed -n '/@FuzzTest/{n;s/^ *void \([A-Za-z0-9]*\)(.*/\1/p}' "$file" | sed "s/^/$(basename "$file" .java)#/"
  done
}

targets=("$@")
[ $# -gt 0 ] || mapfile -t targets < <(all)
failed=0
for target in "${targets[@]}"; do
  file=$(find ./*/src/test/java -name "${target%#*}.java")
  [ -n "$file" ] || { echo "fuzz: $target: no such test" >&2; exit 1; }
  module=$(cut -d/ -f2 <<<"$file")
  log=$module/target/fuzz-${target/\#/-}.log
  mkdir -p "$module/target"
  if JAZZER_FUZZ=1 nice "${mvn[@]}" -B test -pl "$module" -am -Dtest="$target" -Dsurefire.failIfNoSpecifiedTests=false \
    -Dfuzz.hooks=true -Djazzer.internal.command_line=true -Djazzer.internal.arg.0=fuzz -Djazzer.internal.arg.1=-max_total_time="$seconds" >"$log" 2>&1; then
    result="nothing found"
  else
    result="FOUND, see $log"
    failed=1
  fi
  runs=$(grep -aoE 'Done [1-9][0-9]* runs in [0-9]* second' "$log" | tail -n 1 || true)
  if [ "$result" = "nothing found" ] && [ -z "$runs" ]; then # Maven is content without a test of that name
    result="NOTHING WAS RUN, see $log"
    failed=1
  fi
  echo "$target: $runs: $result"
done
exit "$failed"
