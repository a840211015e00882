#!/usr/bin/env bash
# What finding the route of a request costs, in nanoseconds and allocated bytes, with 10 and with 1,000 routes (JMH). Ends with status 1
# if a look-up takes longer than a microsecond, allocates anything, or finds another route than it should.
#
# Options by environment: ITERATIONS (5; of a second each, after as many to warm up), FORKS (1), LIMIT (1000; nanoseconds), JMH (1.37),
# JAR, JAVA (java; with a javac beside it). JMH comes by Maven: from its repository once, then from the local one.
set -euo pipefail
cd "$(dirname "$0")/../tools"
# shellcheck source=common.sh
. ./common.sh
need mvn javac
version=${JMH:-1.37}
cat >"$work/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>bench</groupId>
  <artifactId>route-lookup</artifactId>
  <version>1</version>
  <dependencies>
    <dependency><groupId>org.openjdk.jmh</groupId><artifactId>jmh-core</artifactId><version>$version</version></dependency>
    <dependency><groupId>org.openjdk.jmh</groupId><artifactId>jmh-generator-annprocess</artifactId><version>$version</version></dependency>
  </dependencies>
</project>
POM
copy=(-q -B -f "$work/pom.xml" dependency:copy-dependencies "-DoutputDirectory=$work/lib")
mvn -o "${copy[@]}" >/dev/null 2>&1 || mvn "${copy[@]}" >"$work/maven.log" 2>&1 || die "JMH can't be fetched: $(tail -n 3 "$work/maven.log")"
mkdir "$work/classes"
javac -cp "$jar:$work/lib/*" -processor org.openjdk.jmh.generators.BenchmarkProcessor -d "$work/classes" RouteLookup.java
"$java" -cp "$work/classes:$jar:$work/lib/*" org.openjdk.jmh.Main RouteLookup -foe true -prof gc -f "${FORKS:-1}" \
  -wi "${ITERATIONS:-5}" -w 1 -i "${ITERATIONS:-5}" -r 1 -rf csv -rff "$work/result.csv" >"$work/jmh.log" 2>&1 ||
  die "the benchmark failed: $(grep -m 1 -E 'Exception|Error' "$work/jmh.log" || tail -n 3 "$work/jmh.log")"
"$java" -version 2>&1 | head -n 1
"$java" -jar "$jar" --version
echo
awk -F, -v limit="${LIMIT:-1000}" '
  { gsub(/["\r]/, "") }
  NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; next }
  $1 ~ /RouteLookup\.find$/ { ns[$column["Param: routes"] " routes, " $column["Param: requests"]] = $5 " ± " $6; value[$column["Param: routes"] " routes, " $column["Param: requests"]] = $5 }
  $1 ~ /gc\.alloc\.rate\.norm$/ { bytes[$column["Param: routes"] " routes, " $column["Param: requests"]] = $5 }
  END {
    printf "| requests | ns per look-up | bytes allocated |\n|---|---|---|\n"
    for (row in ns) {
      lines++
      # what the harness itself allocates in an iteration shows as a fraction of a byte
      bad = value[row] + 0 > limit || !(row in bytes) || bytes[row] + 0 >= 1
      failed += bad
      printf "| %s | %s | %.3f |%s\n", row, ns[row], bytes[row], bad ? " too much" : "" | "sort"
    }
    close("sort")
    exit lines != 12 || failed > 0
  }' "$work/result.csv"
