# What the trials with programs of others share: each program prints a line for each of its checks, `NAME ok`, or the name and what was seen. Sourced after common.sh.
# shellcheck shell=bash disable=SC2154
checks=0 failed=0 skipped=()
without() { [ -n "${ONLY:-}" ] || skipped+=("$1 (needs $2)"); }
has() { command -v "$1" >/dev/null; }

tell() { # seconds, width of the names, name, command…: runs it, and says what came of its checks
  local name said wrong='' right='' status
  timeout "$1" "${@:4}" >"$work/said" 2>"$work/client.err"
  status=$?
  while read -r name said; do
    checks=$((checks + 1))
    if [ "$said" = ok ]; then
      right+=" $name"
    else
      failed=$((failed + 1))
      wrong+=$'\n'"    $name: FAILED: ${said:0:300}"
    fi
  done <"$work/said"
  if [ "$status" -ne 0 ] || [ ! -s "$work/said" ]; then
    failed=$((failed + 1))
    wrong+=$'\n'"    FAILED: it ended with $status: $(tail -n 1 "$work/client.err" | cut -c 1-200)"
  fi
  printf "%-$2s ok:%s%s\n" "$3" "$right" "$wrong"
}

summary() { # the least number of checks, 0 for any: fails when one has failed or fewer were made
  echo "$checks checks, $failed failed, ${#skipped[@]} skipped${skipped[*]:+: ${skipped[*]}}"
  [ "$failed" -eq 0 ] && [ "$checks" -ge "$1" ]
}
