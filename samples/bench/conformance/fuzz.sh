#!/usr/bin/env bash
# Fuzzes the byte parsers, one after the other, each for some time: Jazzer makes inputs, the fuzz tests judge what comes out. A finding is kept
# as a file beside the seeds, in src/test/resources of its module, where the next test run fails on it; what was learned on the way is kept in
# .cifuzz-corpus of the module. Ends with 1 when there is a finding, or a test that didn't run.
#
# usage: fuzz.sh [--list] [NAME ...]    all fuzz tests, if none is named; NAME is Class#method, a class, a method, such as hpack, or a package, such as http2
#        --list only prints which would run, with their modules
# Options by environment: SECONDS_EACH (300), MVN (mvn -o).
set -euo pipefail
cd "$(dirname "$0")/../../.."

seconds=${SECONDS_EACH:-300}
read -ra mvn <<<"${MVN:-mvn -o}"

all() { # module, package, class and method of each fuzz test, a line each
  local file
  grep -rl --include='*FuzzTest.java' '^ *@FuzzTest' ./*/src/test/java | sort | while read -r file; do
    sed -n '/^ *@FuzzTest/,/void/s/^ *void \([A-Za-z0-9]*\)(.*/\1/p' "$file" |
      sed "s|^|$(cut -d/ -f2 <<<"$file") $(basename "$(dirname "$file")") $(basename "$file" .java) |"
  done
}

list=
if [ "${1:-}" = --list ]; then
  list=1
  shift
fi
tests=$(all)
targets=()
for name in "${@:-*}"; do
  mapfile -t found < <(NAME=$name awk 'BEGIN { name = ENVIRON["NAME"] }
    name == "*" || name == $3 "#" $4 || name == $2 || name == $3 || name == $4 { print $1 " " $3 "#" $4 }' <<<"$tests")
  [ ${#found[@]} -gt 0 ] || { echo "fuzz: $name: no such test (--list prints them)" >&2; exit 1; }
  targets+=("${found[@]}")
done
if [ -n "$list" ]; then
  printf '%s\n' "${targets[@]}"
  exit
fi
failed=0
for line in "${targets[@]}"; do
  read -r module target <<<"$line"
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
