# What the measurements of CPU time share: proxies in turns, in front of the same service. Sourced after common.sh by scripts that set $scenarios, $proxies
# and pid_of by "proxy scenario", and define
#   load (proxy, scenario, count)  sends so many requests, and doesn't return unless all were answered right
#   measured (scenario)            prints how many requests a measurement has
#   units (scenario, count)        prints what its time is divided by
# It sets $rounds, $warm and $warm_runs by the environment, and sees that what all of them need is there.
# shellcheck shell=bash disable=SC2154
PATH=$PATH:/usr/sbin:/sbin
rounds=${ROUNDS:-5}
# shellcheck disable=SC2034 # used by those who source this
warm=${WARM:-640000} warm_runs=${WARM_RUNS:-16}
need h2load nginx openssl taskset
[ "$(nproc)" -ge 2 ] || die "two processors are needed, one for the proxy and one for load and service."

broken() {
  echo "$(basename "$0" .sh): $*" >&2
  exit 2
}

ticks_of() { # user and system time of a process and its children, in clock ticks
  local all=0 pid stat fields
  for pid in "$1" $(cat "/proc/$1/task/$1/children"); do
    stat=$(cat "/proc/$pid/stat")
    read -ra fields <<<"${stat##*) }"
    all=$((all + fields[11] + fields[12]))
  done
  echo "$all"
}

warm_jvms() { # requests of a scenario, runs; JVMs alone: others need a few connections only
  local scenario proxy n runs
  for scenario in $scenarios; do
    for proxy in $proxies; do
      case $proxy in webproxy | undertow) n=$(($1 / $2 + 32)) runs=$2 ;; *) n=1000 runs=1 ;; esac
      [ "$scenario" != bulk ] || n=$((n / 3000 + 4))
      for _ in $(seq "$runs"); do load "$proxy" "$scenario" "$n"; done
    done
  done
}

measure() { # writes a table: round, scenario, proxy, us
  local hertz round order=$proxies scenario proxy n before ticks
  hertz=$(getconf CLK_TCK)
  : >"$work/table"
  for round in $(seq "$rounds"); do
    for scenario in $scenarios; do
      for proxy in $order; do
        n=$(measured "$scenario")
        before=$(ticks_of "${pid_of[$proxy $scenario]}")
        load "$proxy" "$scenario" "$n"
        ticks=$(($(ticks_of "${pid_of[$proxy $scenario]}") - before))
        awk -v r="$round" -v s="$scenario" -v p="$proxy" -v n="$(units "$scenario" "$n")" -v t="$ticks" -v hz="$hertz" 'BEGIN { printf "%s %s %s %.2f\n", r, s, p, t / hz * 1e6 / n }' >>"$work/table"
      done
    done
    order="${order#* } ${order%% *}"
    [ "$order" != "$proxies $proxies" ] || order=$proxies # there is but one
    echo "round $round: $(awk -v r="$round" '$1 == r { printf "%s%s %s %.1f", s, $2, $3, $4; s = ", " }' "$work/table")"
  done
}

median() { # scenario, proxy
  awk -v s="$1" -v p="$2" '$2 == s && $3 == p { print $4 }' "$work/table" | sort -n |
    awk '{ v[NR] = $1 } END { if (NR) print (NR % 2) ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

row() { # scenario, proxy, us, us of nginx or nothing, verdict; without arguments: what the columns are
  [ $# -gt 0 ] || { printf '\n%-8s %-10s %14s %9s  %s\n' scenario proxy 'median us' 'x nginx' verdict && return; }
  awk -v s="$1" -v p="$2" -v own="$3" -v nginx="${4:-0}" -v verdict="$5" \
    'BEGIN { printf "%-8s %-10s %14.1f %9s  %s\n", s, p, own, (nginx > 0 ? sprintf("%.2f", own / nginx) : "-"), verdict }'
}
