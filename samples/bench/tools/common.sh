# What the measurements beside it have in common; sourced by each, in the directory of this file. Sets $jar, $java, $work, a directory that goes
# when the script ends, and $pids, to which whatever is started is added, so that it goes too.
jar=${JAR:-../../target/webproxy.jar}
java=${JAVA:-java}

die() {
  echo "$(basename "$0" .sh): $*" >&2
  exit 1
}

need() { # programs, beside Java and the jar
  for tool in "$@" "$java"; do
    command -v "$tool" >/dev/null || die "$tool is needed and not installed."
  done
  [ -f "$jar" ] || die "$jar is missing: build it by mvn -q -B -ntp package -DskipTests, or name it in JAR."
}

work=$(mktemp -d)
pids=()
cleanup() {
  trap - EXIT
  [ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

ready() { # pid, name: puts what it serves into $uri; its output is in the work directory, by that name
  for _ in $(seq 300); do
    uri=$(sed -n 's/^ready //p' "$work/$2.out" 2>/dev/null || true)
    [ -z "$uri" ] || return 0
    kill -0 "$1" 2>/dev/null || die "the $2 did not start: $(head -n 1 "$work/$2.err") $(grep '^Caused by' "$work/$2.out" | tail -n 1)"
    sleep 0.1
  done
  die "the $2 was not ready within 30 s."
}

certificate() { # for localhost and what else is named, such as DNS:a.example.com: cert.pem and key.pem in the work directory
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
    -addext "subjectAltName=DNS:localhost,IP:127.0.0.1${1:+,$1}" -keyout "$work/key.pem" -out "$work/cert.pem" 2>/dev/null
}

taken=" "
free_port() { # puts one below the ephemeral range into $port
  while :; do
    port=$((20000 + RANDOM % 12000))
    case $taken in *" $port "*) continue ;; esac
    if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
      taken+="$port "
      return
    fi
  done
}

listens() { # port, log: waits for it
  for _ in $(seq 200); do
    if (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; then return; fi
    sleep 0.1
  done
  die "no service on port $1: $(tail -n 2 "$2" 2>/dev/null)"
}

nginx_server() { # name, port, words before the command: an nginx whose http block has what comes on standard input; it logs to NAME.log, and its pid goes into $nginx_pid
  local user=
  [ "$(id -u)" -ne 0 ] || user="user root;"
  {
    cat <<EOF
$user
daemon off;
worker_processes 1;
pid $work/$1.pid;
error_log $work/$1.log warn;
events { worker_connections 8192; }
http {
  access_log off;
  client_body_temp_path $work/$1-body;
  proxy_temp_path $work/$1-proxy;
  fastcgi_temp_path $work/$1-fastcgi;
  uwsgi_temp_path $work/$1-uwsgi;
  scgi_temp_path $work/$1-scgi;
  client_max_body_size 0;
  keepalive_requests 1000000000;
EOF
    cat
    echo "}"
  } >"$work/$1.conf"
  "${@:3}" nginx -e "$work/$1.log" -c "$work/$1.conf" &
  nginx_pid=$!
  pids+=("$nginx_pid")
  listens "$2" "$work/$1.log"
}

ssh_server() { # name: an OpenSSH server with a host key of its own, in the file `known`, for the user who runs this with the key `user`; its port goes into $port
  free_port
  [ "$(id -u)" -ne 0 ] || mkdir -p /run/sshd
  [ -f "$work/user" ] || ssh-keygen -q -t ed25519 -N '' -f "$work/user"
  ssh-keygen -q -t ed25519 -N '' -f "$work/$1-host"
  echo "$1 $(cut -d' ' -f1-2 "$work/$1-host.pub")" >>"$work/known"
  cat >"$work/$1.conf" <<EOF
ListenAddress 127.0.0.1:$port
HostKey $work/$1-host
AuthorizedKeysFile $work/user.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin prohibit-password
Subsystem sftp internal-sftp
SetEnv SERVER=$1
LogLevel VERBOSE
MaxStartups 200
PerSourceMaxStartups 40
EOF
  "$(command -v sshd)" -D -f "$work/$1.conf" -E "$work/$1.log" &
  pids+=($!)
  listens "$port" "$work/$1.log"
}
