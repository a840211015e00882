#!/usr/bin/env bash
# Programs that embed the proxy as the README says: each is built by Maven, started, asked by curl, and closed by SIGTERM within 15 s.
#
#   spring   Spring Boot 3.5 with Tomcat, Jetty, Undertow and WebFlux, and Boot 4 with Tomcat, Jetty and WebFlux
#   actuator Spring Boot 3.5 with actuator, exposed by two proxies with metrics in its registry: its meters and those of both proxies are what was asked for
#   modules  a program and webproxy-api on the module path, the engine on the class path; with the engine on the module path a sentence says why not
#   image    a runtime image by jlink with the jars on its class path; without a module that is needed a sentence names it
#   release  a version cut as CONTRIBUTING.md says, with a key of this run: every file of the staging folder is there and its signature is good, and the program
#            is built and started with that folder alone
#
# Arguments: which of them; all by default. Options by environment: BOOT_3 (3.5.16), BOOT_4 (4.0.7), BOOT_ACTUATOR (3.5.10), JAVA_HOME.
set -euo pipefail
cd "$(dirname "$0")/../tools"
[ -z "${JAVA_HOME:-}" ] || JAVA=$JAVA_HOME/bin/java
# shellcheck source=common.sh
. ./common.sh
need curl mvn
home=${JAVA_HOME:-$(dirname "$(dirname "$(readlink -f "$(command -v javac)")")")}
[ $# -gt 0 ] || set -- spring actuator modules image release

# The modules as built, under a version of their own in the local repository while this runs.
version=0-embedded-$$ release=0-release-$$
top=$(cd ../../.. && pwd)
installed() {
  [ -n "${repository:-}" ] || return 0
  rm -rf "$repository"/io/webproxy/*/"$version" "$repository"/io/webproxy/*/"$release" "$repository"/io/webproxy/*/maven-metadata-staging.xml*
  local module
  for module in "$repository"/io/webproxy/*/; do
    # an index of nothing
    [ -n "$(find "$module" -mindepth 1 -type d)" ] || rm -rf "$module"
  done
}
trap 'installed; cleanup' EXIT
install() { # file, pom, packaging
  sed "s#0\.1\.0-SNAPSHOT#$version#" "$2" >"$work/module.xml"
  local file=$1
  [ "$3" != pom ] || file=$work/module.xml
  (cd "$work" && mvn -B -ntp install:install-file -Dfile="$file" -DpomFile="$work/module.xml" -Dpackaging="$3") >"$work/install.out" 2>&1 \
    || die "can't install $1: $(grep ERROR "$work/install.out" | head -n 3)"
  repository=$(sed -n 's#.* to \(/.*\)/io/webproxy/.*#\1#p' "$work/install.out" | head -n 1)
}
for module in webproxy-api webproxy-undertow; do
  [ -f "$top/$module/target/$module-0.1.0-SNAPSHOT.jar" ] || die "$module isn't built: mvn -q -B -ntp package -DskipTests"
done
install "$top/pom.xml" "$top/pom.xml" pom
for module in webproxy-api webproxy-undertow; do
  install "$top/$module/target/$module-0.1.0-SNAPSHOT.jar" "$top/$module/pom.xml" jar
done

dependency() { # group:artifact, what else
  printf '    <dependency><groupId>%s</groupId><artifactId>%s</artifactId>%s</dependency>\n' "${1%:*}" "${1#*:}" "${2:-}"
}
undertow=$(sed -n 's#.*<undertow.version>\(.*\)</undertow.version>.*#\1#p' "$top/pom.xml")
project() { # name, sources, managed, dependencies
  mkdir -p "$work/$1"
  managed=$3 dependencies=$4 python3 - "$1" "$2" "$version" >"$work/$1/pom.xml" <<'P'
import os, sys
text = open("embedded/boot/pom.xml").read()
name, sources, version = sys.argv[1:]
for key, value in dict(NAME=name, SOURCES=sources, VERSION=version,
                       MANAGED=os.environ["managed"], DEPENDENCIES=os.environ["dependencies"]).items():
    text = text.replace("@" + key + "@", value)
print(text, end="")
P
  projects+=("$1")
}
boot() { # version: its BOM; an older Undertow that it names gives way
  dependency org.springframework.boot:spring-boot-dependencies "<version>$1</version><type>pom</type><scope>import</scope>"
  case $1 in 3.*) dependency io.undertow:undertow-core "<version>$undertow</version>" ;; esac
}
without_tomcat='<exclusions><exclusion><groupId>org.springframework.boot</groupId><artifactId>spring-boot-starter-tomcat</artifactId></exclusion></exclusions>'
starter() {
  dependency "org.springframework.boot:spring-boot-starter-$1" "${2:-}"
}

projects=()
three=${BOOT_3:-3.5.16} four=${BOOT_4:-4.0.7} watched=${BOOT_ACTUATOR:-3.5.10}
mkdir "$work/sources" && cp -r embedded/boot/embedded "$work/sources/"
sources=$work/sources
for what in "$@"; do
  case $what in
    spring)
      project boot-3-tomcat "$sources" "$(boot "$three")" "$(starter web)"
      project boot-3-jetty "$sources" "$(boot "$three")" "$(starter web "$without_tomcat"; starter jetty)"
      project boot-3-undertow "$sources" "$(boot "$three")" "$(starter web "$without_tomcat"; starter undertow)"
      project boot-3-webflux "$sources" "$(boot "$three")" "$(starter webflux)"
      project boot-4-tomcat "$sources" "$(boot "$four")" "$(starter webmvc)"
      project boot-4-jetty "$sources" "$(boot "$four")" "$(starter webmvc "$without_tomcat"; starter jetty)"
      project boot-4-webflux "$sources" "$(boot "$four")" "$(starter webflux)"
      ;;
    actuator)
      mkdir "$work/watched" && cp -r embedded/actuator/embedded "$work/watched/"
      project boot-3-actuator "$work/watched" "$(boot "$watched")" \
        "$(starter web; starter actuator; dependency io.micrometer:micrometer-registry-prometheus)"
      ;;
    modules | image)
      [ -d "$work/plain" ] || project plain "$work/none" "" ""
      ;;
    release) need gpg ;;
    *) die "$what (expected: spring, actuator, modules, image or release)" ;;
  esac
done
build_projects() {
  {
    echo '<project><modelVersion>4.0.0</modelVersion><groupId>io.webproxy.embedded</groupId><artifactId>all</artifactId><version>1</version><packaging>pom</packaging><modules>'
    printf '<module>%s</module>' "${projects[@]}"
    echo '</modules></project>'
  } >"$work/pom.xml"
  mvn -q -B -ntp -f "$work" compile >"$work/build.out" 2>&1 || die "the build failed: $(grep ERROR "$work/build.out" | head -n 5)"
}
[ ${#projects[@]} -eq 0 ] || build_projects

started() { # name, command…: starts a program, asks it, closes it
  local name=$1 pid code
  shift
  "$@" >"$work/$name.out" 2>"$work/$name.err" &
  pid=$!
  pids+=("$pid")
  ready "$pid" "$name"
  [ "$(curl -sS --insecure --max-time 10 "${uri}hello" 2>&1)" = hello ] || die "$name: no answer through the proxy"
  [ "$name" != boot-3-actuator ] || meters "$name"
  kill "$pid"
  for _ in $(seq 150); do
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
  done
  ! kill -0 "$pid" 2>/dev/null || { kill -9 "$pid"; die "$name: still there 15 s after SIGTERM"; }
  code=0
  wait "$pid" || code=$?
  [ "$code" = 143 ] || die "$name: exit status $code"
  grep -qx closed "$work/$name.out" || die "$name: not closed: $(tail -n 3 "$work/$name.err")"
  ! grep -h -A 3 -E 'Exception|Error:|failed to close' "$work/$name.out" "$work/$name.err" || die "$name: see above"
  echo "$name: started, asked, closed"
}
counted() { # a text of Prometheus: how many requests and handshakes, one kind a line
  python3 - "$1" <<'P'
import re, sys
counts = {}
for line in open(sys.argv[1]):
    sample = re.fullmatch(r'([a-z_]+)(?:\{(.*)\})? (\S+)', line.rstrip())
    if not sample:
        continue
    tags = dict(re.findall(r'(\w+)="([^"]*)"', sample[2] or ''))
    server = tags.get('server')
    key = {'http_server_requests_seconds_count': 'application' if tags.get('uri') == '/hello' else None,
           'webproxy_requests_seconds_count': f'{server} {tags.get("status")}',
           'webproxy_upstream_requests_seconds_count': f'{server} upstream',
           'webproxy_handshakes_total': f'{server} handshakes'}.get(sample[1])
    if key:
        counts[key] = counts.get(key, 0) + float(sample[3])
print(', '.join(f'{key} {round(value)}' for key, value in sorted(counts.items()) if value))
P
}
meters() { # name: asks more, after one request by HTTPS, and compares that with what actuator shows
  local application inner found wanted='application 7, inner 200 4, inner 404 1, inner upstream 5, open 200 3, open handshakes 3, open upstream 3'
  application=$(sed -n 's/^application //p' "$work/$1.out")
  inner=$(sed -n 's/^inner //p' "$work/$1.out")
  for _ in 1 2; do curl -sS --insecure -o "$work/null" "${uri}hello"; done
  for _ in 1 2 3 4; do curl -sS -o "$work/null" "${inner}hello"; done
  curl -sS -o "$work/null" "${inner}missing"
  for _ in $(seq 20); do
    # a record is made when the response has been sent
    curl -sS "${application}actuator/prometheus" >"$work/metrics"
    found=$(counted "$work/metrics")
    [ "$found" != "$wanted" ] || break
    sleep 0.5
  done
  [ "$found" = "$wanted" ] || die "$1: $found (expected: $wanted)"
  echo "$1: $found"
}
refuses() { # name, part of the sentence, command…
  local name=$1 sentence=$2
  shift 2
  if timeout 30 "$@" >"$work/$name.out" 2>"$work/$name.err"; then
    die "$name: isn't refused"
  fi
  grep -q "ProxyStartException: .*$sentence" "$work/$name.err" || die "$name: refused otherwise: $(head -n 2 "$work/$name.err")"
  echo "$name: refused, as it should be"
}

signed() { # file
  local form
  [ -s "$1" ] || die "release: $1 is missing"
  gpg --batch --verify "$1.asc" "$1" 2>"$work/gpg.err" || die "release: $1: $(tail -n 1 "$work/gpg.err")"
  for form in md5 sha1; do
    [ "$("${form}sum" <"$1" | cut -d' ' -f1)" = "$(cat "$1.$form")" ] || die "release: $1.$form is another file's"
  done
}
staged() { # cuts a version from a copy of the sources, and has a program built that knows its folder alone
  local staging=$work/staging module kind files=0 root=$work/release/pom.xml
  mkdir "$work/release" && tar -C "$top" --exclude=./.git --exclude=target -cf - . | tar -C "$work/release" -xf -
  export GNUPGHOME=$work/gnupg MAVEN_GPG_KEY MAVEN_GPG_PASSPHRASE=secret
  mkdir -m 700 "$GNUPGHOME"
  gpg --batch --quiet --pinentry-mode loopback --passphrase secret --quick-generate-key 'A release <release@webproxy.invalid>' rsa3072 sign 1d 2>"$work/gpg.err" || die "release: $(cat "$work/gpg.err")"
  MAVEN_GPG_KEY=$(gpg --batch --pinentry-mode loopback --passphrase secret --armor --export-secret-keys)
  cut_version() { (cd "$work/release" && mvn -B -ntp -Prelease -DskipTests -pl '!samples' -Dmaven.install.skip=true -Dstaging="$staging" deploy) >"$work/release.out" 2>&1; }
  ! cut_version || die "release: a snapshot can be cut"
  grep -q 'version: 0.1.0-SNAPSHOT (expected: one without -SNAPSHOT' "$work/release.out" || die "release: $(grep ERROR "$work/release.out" | head -n 5)"
  grep -q 'url, scm: https://webproxy.invalid (expected: where the sources are' "$work/release.out" || die "release: an address that doesn't exist can be published"
  sed -i "s#0\.1\.0-SNAPSHOT#$release#" "$root" "$work"/release/*/pom.xml
  sed -i "s#https://webproxy\.invalid#https://webproxy.example#" "$root"
  cut_version || die "release: $(grep ERROR "$work/release.out" | head -n 5)"
  signed "$staging/io/webproxy/webproxy-parent/$release/webproxy-parent-$release.pom"
  for module in webproxy-api webproxy-undertow webproxy-acme; do
    for kind in .pom .jar -sources.jar -javadoc.jar -cyclonedx.json; do
      signed "$staging/io/webproxy/$module/$release/$module-$release$kind"
      files=$((files + 1))
    done
  done
  [ ! -e "$staging/io/webproxy/webproxy-samples" ] || die "release: the samples are in it"
  echo "release: $files files of three modules, each signed, in the staging folder"
  # The program of the modules' case: with both modules, from the folder, which its pom names.
  projects=()
  project staged "$work/none" "" "$(dependency io.webproxy:webproxy-acme "<version>$release</version>")"
  sed -i -e "s#<version>$version</version>#<version>$release</version>#" \
    -e "s#  <dependencyManagement>#  <repositories><repository><id>staging</id><url>file://$staging</url></repository></repositories>\n&#" "$work/staged/pom.xml"
  build_projects
  "$home/bin/javac" -d "$work/staged-classes" -cp "$(cat "$work/staged/target/classpath")" embedded/modules/embedded/Main.java
  tr : '\n' <"$work/staged/target/classpath" | grep -q "webproxy-acme-$release.jar" || die "release: the program doesn't have the module that it names"
}

options=()
[ "$("$home/bin/java" --version | sed -n '1s/^[^0-9]*\([0-9]*\).*/\1/p')" -lt 24 ] || options=(--enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow)
for what in "$@"; do
  case $what in
    actuator)
      started boot-3-actuator "$home/bin/java" "${options[@]}" -XX:TieredStopAtLevel=1 -cp "$work/boot-3-actuator/target/classes:$(cat "$work/boot-3-actuator/target/classpath")" \
        embedded.App --server.port=0 --management.endpoints.web.exposure.include=prometheus
      ;;
    spring)
      for name in "${projects[@]}"; do
        case $name in plain | boot-3-actuator) continue ;; esac
        started "$name" "$home/bin/java" "${options[@]}" -XX:TieredStopAtLevel=1 -cp "$work/$name/target/classes:$(cat "$work/$name/target/classpath")" embedded.App --server.port=0
      done
      ;;
    modules)
      all=$(tr : '\n' <"$work/plain/target/classpath")
      modules=$(grep -E '/(webproxy-api|slf4j-api|jspecify)-' <<<"$all" | paste -sd:)
      rest=$(grep -vE '/(webproxy-api|slf4j-api|jspecify)-' <<<"$all" | paste -sd:)
      "$home/bin/javac" -d "$work/modules/embedded" -p "$modules" embedded/modules/module-info.java embedded/modules/embedded/Main.java
      started module-path "$home/bin/java" "${options[@]}" -p "$work/modules:$modules" -cp "$rest" -m embedded/embedded.Main
      refuses engine-on-module-path "webproxy-api may stay on the module path" \
        timeout 20 "$home/bin/java" -p "$work/modules:$modules:$rest" -m embedded/embedded.Main
      ;;
    release)
      staged
      started release "$home/bin/java" "${options[@]}" -cp "$work/staged-classes:$(cat "$work/staged/target/classpath")" embedded.Main
      ;;
    image)
      all=java.logging,java.management,java.naming,java.security.sasl,jdk.crypto.ec,jdk.management,jdk.unsupported
      "$home/bin/javac" -d "$work/image-classes" -cp "$(cat "$work/plain/target/classpath")" embedded/modules/embedded/Main.java
      for modules in "$all" "${all%,*}"; do
        rm -rf "$work/image"
        "$home/bin/jlink" --add-modules "$modules,jdk.httpserver" --output "$work/image" >"$work/jlink.out" 2>&1 || die "jlink: $(head -n 2 "$work/jlink.out")"
        run=("$work/image/bin/java" "${options[@]}" -cp "$work/image-classes:$(cat "$work/plain/target/classpath")" embedded.Main)
        if [ "$modules" = "$all" ]; then
          started image "${run[@]}"
        else
          refuses image-without-unsupported "add jdk.unsupported to the image" "${run[@]}"
        fi
      done
      ;;
  esac
done
