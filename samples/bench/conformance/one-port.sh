#!/usr/bin/env bash
# Programs that people use, all at the same time, through one port: ssh, scp, git and rsync to OpenSSH's server, ssh inside TLS to two of them by name, HTTP and
# HTTPS by curl, a WebSocket and Chromium, TLS passed through to an nginx that wants client certificates, psql, and clients that wait for the server. Then what
# Chromium sends first, split at every offset; and who the services say that their clients are: nginx by the PROXY protocol, sshd by the source address, and
# fail2ban by the relay log. Each is one line, `ok` or `FAILED`, with what it said. Ends with 1 when one failed or was left out.
#
# As root, or as any user that may log in by ssh. PostgreSQL runs as the user postgres when root starts this.
#
# Options by environment: SCP_MB (200), PROXY (a command that takes the place of `java -jar … port`), JAR, JAVA (java), JAVA_OPTS, KEEP (a directory that
# logs are copied to when it ends).
# shellcheck disable=SC2016 # what runs at the same time is shell in quotes
set -uo pipefail
cd "$(dirname "$0")/../tools" || exit 1
# shellcheck source=common.sh
. ./common.sh
PATH=$PATH:/usr/sbin:/sbin
postgres=$(find /usr/lib/postgresql/*/bin /usr/local/bin /usr/bin -name initdb 2>/dev/null | sort -V | tail -n 1)
need openssl python3 sshd ssh scp ssh-keygen git rsync nc curl nginx psql fail2ban-regex chromium
[ -n "$postgres" ] || die "PostgreSQL's initdb is needed and not installed."
postgres=$(dirname "$postgres")
megabytes=${SCP_MB:-200}
helper=$PWD/programs/one_port.py
filter=$(cd ../.. && pwd)/fail2ban/webproxy-relay.conf
me=$(id -un)
chmod 711 "$work"
keep() { [ -z "${KEEP:-}" ] || { mkdir -p "$KEEP" && cp -r "$work"/*.log "$work"/*.out "$work"/*.err "$work"/said "$KEEP"/ 2>/dev/null; }; }
trap 'keep; cleanup' EXIT
mkdir "$work/said"

# ---- services
certificate DNS:host1.example.com,DNS:host2.example.com,DNS:www.example.com
ca=$work/cert.pem
ssh-keygen -q -t ed25519 -N '' -f "$work/stranger"
ssh_server host1 && host1=127.0.0.1:$port
ssh_server host2 && host2=127.0.0.1:$port

as=()
[ "$(id -u)" -ne 0 ] || as=(setpriv --reuid=postgres --regid=postgres --clear-groups)
mkdir "$work/postgres" && cp "$work/cert.pem" "$work/key.pem" "$work/postgres/"
[ "$(id -u)" -ne 0 ] || chown -R postgres: "$work/postgres"
chmod 700 "$work/postgres" && chmod 600 "$work/postgres/key.pem"
(cd / && "${as[@]}" "$postgres/initdb" -D "$work/postgres/data" -U user --auth=trust --no-sync) >"$work/initdb.log" 2>&1 || die "initdb: $(tail -n 3 "$work/initdb.log")"
free_port && database=$port
(cd / && exec "${as[@]}" "$postgres/postgres" -D "$work/postgres/data" -p "$database" -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off \
  -c ssl=on -c ssl_cert_file="$work/postgres/cert.pem" -c ssl_key_file="$work/postgres/key.pem") >"$work/postgres.log" 2>&1 &
pids+=($!)

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=a-client -keyout "$work/client.key" -out "$work/client.pem" 2>/dev/null
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=mtls.example.com -addext subjectAltName=DNS:mtls.example.com \
  -keyout "$work/mtls.key" -out "$work/mtls.pem" 2>/dev/null
user=
[ "$(id -u)" -ne 0 ] || user="user root;"
free_port && mtls=$port
cat >"$work/nginx.conf" <<EOF
$user
daemon off;
pid $work/nginx.pid;
error_log $work/nginx-error.log warn;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path $work/body; proxy_temp_path $work/proxy; fastcgi_temp_path $work/fastcgi; uwsgi_temp_path $work/uwsgi; scgi_temp_path $work/scgi;
  server {
    listen 127.0.0.1:$mtls ssl proxy_protocol;
    ssl_certificate $work/mtls.pem;
    ssl_certificate_key $work/mtls.key;
    ssl_client_certificate $work/client.pem;
    ssl_verify_client on;
    location / { default_type text/plain; return 200 "\$ssl_client_s_dn from \$proxy_protocol_addr\n"; }
  }
}
EOF
nginx -e "$work/nginx-error.log" -c "$work/nginx.conf" &
pids+=($!)
listens "$mtls" "$work/nginx-error.log"
listens "$database" "$work/postgres.log"

start() { # name, command…: a service that prints `ready URL`, which goes into $uri
  "${@:2}" >"$work/$1.out" 2>"$work/$1.err" &
  pids+=($!)
  ready $! "$1"
}
start service "$java" -Xmx256m -jar "$jar" service
service=$uri
start plain-echo python3 "$helper" echo "$work/plain-echo.log"
plain_echo=127.0.0.1:$uri
start echo python3 "$helper" echo "$work/echo.log" "$work/hello"
echo=127.0.0.1:$uri

proxy() { # name, options…: its port goes into $port
  # shellcheck disable=SC2086 # options are words
  start "$1" ${PROXY:-"$java" ${JAVA_OPTS:-} -jar "$jar" port} --listen 0 --bind 127.0.0.1 "${@:2}"
  port=${uri##*:}
  port=${port%/}
}
proxy one --ssh "$host1" --http here --tls here --to "$service" --cert "$ca" --key "$work/key.pem" \
  --pass-through "mtls.example.com=127.0.0.1:$mtls" --pass-through "*.echo.example.com=$echo" \
  --inside-ssh "host1.example.com=$host1" --inside-ssh "host2.example.com=$host2" \
  --postgresql "127.0.0.1:$database" --match "echo:fffefd=$plain_echo" \
  --on-timeout "$host1" --detect-time 2s --otherwise "$plain_echo" --proxy-protocol v2 --loopback-source --relay-log "$work/relay.log"
one=$port

# ---- all at the same time
export one ca work me megabytes helper host1 host2 database mtls service
cat >"$work/ssh_config" <<EOF
Host one
  HostName 127.0.0.1
  Port $one
  HostKeyAlias host1
Host host1.example.com
  HostKeyAlias host1
  ProxyCommand openssl s_client -quiet -verify_quiet -verify_return_error -CAfile $ca -verify_hostname host1.example.com -servername host1.example.com -connect 127.0.0.1:$one
Host host2.example.com
  HostKeyAlias host2
  ProxyCommand openssl s_client -quiet -verify_quiet -verify_return_error -CAfile $ca -verify_hostname host2.example.com -servername host2.example.com -connect 127.0.0.1:$one
Host *
  User $me
  IdentityFile $work/user
  IdentitiesOnly yes
  BatchMode yes
  StrictHostKeyChecking yes
  UserKnownHostsFile $work/known
  ConnectTimeout 20
EOF
sed "s|IdentityFile .*|IdentityFile $work/stranger|" "$work/ssh_config" >"$work/stranger_config"
head -c $((megabytes * 1000000)) /dev/urandom >"$work/large"
head -c 20000000 /dev/urandom >"$work/payload"
sum=$(sha256sum <"$work/large")
export sum

names=()
together() { # name, command…
  names+=("$1")
  (
    from=$(date +%s%N)
    timeout 300 bash -c "${*:2}" >"$work/said/$1" 2>&1 && result=ok || result=FAILED
    echo "$result $((($(date +%s%N) - from) / 1000000))" >"$work/said/$1.status"
  ) &
  running+=($!)
}
running=()
S="timeout 300 ssh -F $work/ssh_config"
same() {
  if [ "$1" = "$2" ]; then echo "$1"; else echo "'$1' (expected: '$2')"; return 1; fi
}
export -f same
export S

together ssh 'same "$($S one "echo \$SERVER; exit 7"; echo $?)" "host1
7"'
together ssh-session '{ for i in 1 2 3 4 5 6; do echo "line $i"; sleep 1; done; } | $S one cat | tail -n 1 | grep "line 6"'
together scp-there 'scp -q -F $work/ssh_config $work/large one:$work/large.there && same "$(sha256sum <$work/large.there)" "$sum"'
together scp-back 'scp -q -F $work/ssh_config one:$work/large $work/large.back && same "$(sha256sum <$work/large.back)" "$sum"'
together waits-for-banner 'from=$(date +%s%N); got=$(timeout 30 nc -d 127.0.0.1 $one | head -c 8); same "$got" SSH-2.0- && echo "$got after $((($(date +%s%N) - from) / 1000000)) ms"'
together git 'export GIT_SSH_COMMAND="$S"; git="git -c user.name=a -c user.email=a@example.com -c init.defaultBranch=main"
  git init -q --bare $work/bare.git && $git clone -q one:$work/bare.git $work/first 2>&1 && cd $work/first && cp $work/payload . && $git add payload && $git commit -qm one &&
  $git push -q origin HEAD:main && $git clone -q --branch main one:$work/bare.git $work/second && cmp $work/first/payload $work/second/payload && $git log --oneline | tail -n 1'
together rsync 'mkdir $work/tree && for i in $(seq 40); do head -c $((i * 9000)) /dev/urandom >$work/tree/$i; done
  rsync -a -e "$S" $work/tree/ one:$work/copy/ && rsync -a -e "$S" one:$work/copy/ $work/again/ && diff -r $work/tree $work/again && echo "$(ls $work/again | wc -l) files"'
for n in 1 2; do
  together ssh-inside-tls-$n "same \"\$(\$S host$n.example.com 'echo \$SERVER; head -c 3000000 /dev/zero | sha256sum')\" \"host$n
\$(head -c 3000000 /dev/zero | sha256sum)\""
done
for kind in "http --http1.1" "https --http1.1" "https --http2"; do
  read -r scheme version <<<"$kind"
  together "curl-$scheme${version/--http/-}" "c='curl -sS $version --cacert $ca --max-time 120'; \$c --data-binary @$work/payload -w '%{http_version}' $scheme://localhost:$one/upload >$work/said/up$scheme$version &&
    grep '\"bytes\":20000000' $work/said/up$scheme$version && same \"\$(\$c '$scheme://localhost:$one/download/a?size=20000000' | wc -c)\" 20000000 && tail -c 3 $work/said/up$scheme$version"
done
together websocket 'python3 $helper websocket http://localhost:$one/echo'
together websocket-tls 'python3 $helper websocket wss://localhost:$one/echo $ca'
page() { # URL, name: the demo's page, which marks what it has tried; on a busy machine it may be printed before it has
  local marks
  for _ in 1 2 3; do
    chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync \
      --ignore-certificate-errors --user-data-dir="$work/$2" --timeout=15000 --dump-dom "$1" >"$work/said/$2.html" 2>/dev/null
    marks=$(grep -c 'class="mark ok"' "$work/said/$2.html")
    [ "$marks" -lt 4 ] || break
  done
  same "$marks marks" "4 marks"
}
export -f page
together chromium-http 'page http://localhost:$one/ chromium-http'
together chromium-https 'page https://localhost:$one/ chromium-https'
together chromium-passed "chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update \
  --disable-sync --host-resolver-rules='MAP *.example.com 127.0.0.1' --user-data-dir=$work/chromium-passed --timeout=5000 --dump-dom https://www.echo.example.com:$one/ >/dev/null 2>&1
  echo \"\$(stat -c %s $work/hello) bytes recorded\" && LC_ALL=C grep -qaP '\\x11\\xec' $work/hello"
mtls_curl="curl -sS --max-time 60 --cacert $work/mtls.pem --connect-to mtls.example.com:443:127.0.0.1:$one"
together client-certificate "same \"\$($mtls_curl --cert $work/client.pem --key $work/client.key https://mtls.example.com/)\" 'CN=a-client from 127.0.0.1'"
together no-client-certificate "same \"\$($mtls_curl -o /dev/null -w '%{http_code}' https://mtls.example.com/)\" 400"
together psql-tls "same \"\$(psql 'host=127.0.0.1 port=$one user=user dbname=postgres sslmode=verify-full sslrootcert=$ca' -Atc \"select length(repeat('x', 3000000)), ssl from pg_stat_ssl where pid = pg_backend_pid()\")\" '3000000|t'"
together psql-cleartext "same \"\$(psql 'host=127.0.0.1 port=$one user=user dbname=postgres sslmode=disable' -Atc \"select length(repeat('x', 3000000)), ssl from pg_stat_ssl where pid = pg_backend_pid()\")\" '3000000|f'"
client="openssl s_client -CAfile $ca -verify_return_error -connect 127.0.0.1:$one"
request="printf 'GET /api/hello HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n'"
together s_client-sni "$request | timeout 60 $client -ign_eof -servername localhost 2>&1 | tee $work/said/s1 | grep -a '^HTTP/1.1 200' && grep -a 'Verification: OK' $work/said/s1"
together s_client-no-sni "$request | timeout 60 $client -ign_eof -noservername 2>&1 | tee $work/said/s2 | grep -a '^HTTP/1.1 200' && grep -a 'Verification: OK' $work/said/s2"
together unknown-bytes "printf 'nothing that is known' >$work/said/unknown.bin; python3 $helper split $one $work/said/unknown.bin echo"
wait "${running[@]}"

ran=0 failed=0
told() { # name, result, milliseconds
  ran=$((ran + 1))
  [ "$2" = ok ] || failed=$((failed + 1))
  local lines=1
  [ "$2" = ok ] || lines=3
  printf '%-22s %-6s %6s ms  %s\n' "$1" "$2" "$3" "$(tail -n $lines "$work/said/$1" | tr '\n' ' ' | cut -c 1-300)"
}
echo "at the same time on one port:"
for name in "${names[@]}"; do
  # shellcheck disable=SC2046 # two words
  told "$name" $(cat "$work/said/$name.status")
done

alone() { # name, command…, which takes a bounded time
  local from result
  from=$(date +%s%N)
  "${@:2}" >"$work/said/$1" 2>&1 && result=ok || result=FAILED
  told "$1" "$result" $((($(date +%s%N) - from) / 1000000))
}

echo "first bytes, split at every offset and one at a time:"
pieces() { timeout 300 python3 "$helper" split "$one" "$@"; }
alone chromium-hello-passed pieces "$work/hello" echo
sed 's/www\.echo\.example\.com/xwwwecho-example-com/' "$work/hello" >"$work/hello-here"
alone chromium-hello-here pieces "$work/hello-here" 160303
printf 'SSH-2.0-a_client\r\n' >"$work/first-ssh"
alone ssh-banner pieces "$work/first-ssh" "$(printf 'SSH-2.0-OpenSSH' | od -An -tx1 | tr -d ' \n')"
printf 'GET /api/hello HTTP/1.1\r\nHost: localhost\r\n\r\n' >"$work/first-http"
alone http-request pieces "$work/first-http" "$(printf 'HTTP/1.1 200 OK' | od -An -tx1 | tr -d ' \n')"
printf '\0\0\0\x08\x04\xd2\x16\x2f' >"$work/first-postgres"
alone postgres-request pieces "$work/first-postgres" 53
printf '\xff\xfe\xfdwhat a rule names by its bytes' >"$work/first-bytes"
alone bytes-of-a-rule pieces "$work/first-bytes" echo

echo "addresses:"
addresses() { # sshd tells clients apart, and no client chooses where it seems to come from
  first=$($S -b 127.10.0.1 one 'echo $SSH_CLIENT') && again=$($S -b 127.10.0.1 one 'echo $SSH_CLIENT') && other=$($S -b 127.10.0.2 one 'echo $SSH_CLIENT') || return 1
  echo "$first; $again; $other" | tee "$work/seen"
  local a=${first%% *} b=${again%% *} c=${other%% *}
  [ "$a" = "$b" ] && [ "$a" != "$c" ] || return 1
  for seen in "$a" "$c"; do
    case $seen in 127.0.* | 127.255.* | 127.10.0.*) return 1 ;; 127.*) grep -q "Accepted publickey for $me from $seen port" "$work/host1.log" || return 1 ;; *) return 1 ;; esac
  done
}
alone sshd-log addresses
startups() { # one client at its limit of unauthenticated connections, and another
  free_port
  mkfifo "$work/hold"
  python3 "$helper" hold 127.12.0.1 60 "$one" <"$work/hold" >"$work/held" &
  local holder=$!
  exec 4>"$work/hold"
  for _ in $(seq 300); do [ ! -s "$work/held" ] || break; sleep 0.1; done
  local others
  others=$($S -b 127.12.0.2 one 'echo in')
  exec 4>&-
  wait "$holder"
  echo "one client held $(cat "$work/held") of 60 connections (PerSourceMaxStartups 40); another: ${others:-kept out}"
  [ "$(cat "$work/held")" = 40 ] && [ "$others" = in ]
}
alone sshd-startups startups
same_address() { same "$($mtls_curl --interface 127.9.8.7 --cert "$work/client.pem" --key "$work/client.key" https://mtls.example.com/)" 'CN=a-client from 127.9.8.7'; }
alone nginx-proxy-v2 same_address
forwarded() { curl -sS --max-time 20 --interface 127.9.8.6 "http://127.0.0.1:$one/headers" | grep -i 'x-forwarded-for.*127\.9\.8\.6'; }
alone http-forwarded-for forwarded
proxy bytes --match "postgres:0000000804d2162f=127.0.0.1:$database"
by_bytes() { same "$(timeout 60 psql "host=127.0.0.1 port=$port user=user dbname=postgres sslmode=require" -Atc 'select 42')" 42; }
alone psql-by-bytes by_bytes
proxy version1 --pass-through "mtls.example.com=127.0.0.1:$mtls" --proxy-protocol v1
mtls_curl="curl -sS --max-time 60 --cacert $work/mtls.pem --connect-to mtls.example.com:443:127.0.0.1:$port"
alone nginx-proxy-v1 same_address
source_port() { # the line of the relay log that belongs to what sshd has logged
  read -r _ number _ <"$work/seen"
  grep -w "$number" "$work/relay.log" | grep '127\.10\.0\.1'
}
alone relay-log source_port
found() { # log, filter: the clients that fail2ban finds there, one for each line
  timeout 60 fail2ban-regex --usedns no -o ip "$1" "$2" >"$work/found" 2>&1
  sort "$work/found" | uniq -c | sort -rn | head -n 5
}
banned() { # clients that guess keys are found, and only connections of SSH are
  for _ in 1 2 3 4 5; do
    timeout 30 ssh -F "$work/stranger_config" -b 127.66.0.1 one true && return 1
  done
  sleep 1
  found "$work/relay.log" "$filter"
  [ "$(grep -cx 127.66.0.1 "$work/found")" = 5 ] && ! grep -qx '127\.9\.8\.[67]' "$work/found"
}
alone fail2ban-regex banned
proxy rated --ssh "$host1" --new-per-minute 3 --relay-log "$work/rated.log"
rated() { # after three a minute sshd doesn't hear of a client, and fail2ban does
  local in=0
  for _ in 1 2 3 4 5 6 7 8; do
    if same "$($S -p "$port" -b 127.67.0.1 one 'echo in')" in; then in=$((in + 1)); fi
  done
  same "$in" 3 && same "$($S -p "$port" -b 127.67.0.2 one 'echo in')" in || return 1
  sleep 1
  found "$work/rated.log" "${filter}[mode=refused]"
  [ "$(grep -cx 127.67.0.1 "$work/found")" = 5 ] && [ "$(grep -c '^[0-9.]*$' "$work/found")" = 5 ]
}
alone rate-and-ban rated

echo "$ran ran, $failed failed"
[ "$failed" -eq 0 ] && [ "$ran" -ge 39 ]
