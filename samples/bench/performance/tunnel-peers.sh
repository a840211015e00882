#!/usr/bin/env bash
# What a tunnel costs: this proxy's public and private side, frp (type https), rathole, and two HAProxies in TCP mode, one after the other, in turns, with the same
# clients and the same service, no leg encrypted a second time. CPU time of both sides for each MB of one stream and for each new connection, the throughput of one
# stream, and the time to the first byte with connections that are ready and after a pause. Ends with 1 when this proxy takes more than frp, or more than LEVEL times what
# rathole takes. Programs that aren't installed are left out, and that is said; one of the two must be there.
#
# frp: go install github.com/fatedier/frp/cmd/frps@v0.61.0 (and frpc), or built in the module's source; rathole: cargo install rathole --version 0.5.0.
#
# Options by environment: ROUNDS (5), MIB (512, 0 for no streams), CONNECTIONS (2000, 0 for none), WARMUP (12; rounds of all that before, this proxy only), PAUSE (75; seconds, 0 for none), LEVEL
# (1.1), FRPS, FRPC, RATHOLE, HAPROXY (commands), JAR, JAVA (java), JAVA_OPTS (of both sides).
# shellcheck disable=SC2034,SC2154 # functions and variables are used by name
set -euo pipefail
cd "$(dirname "$0")/../tools"
# shellcheck source=common.sh
. ./common.sh
# shellcheck source=tunnel-common.sh
. ./tunnel-common.sh
PATH=$PATH:/usr/sbin:/sbin:$HOME/go/bin:$HOME/.cargo/bin
need openssl
frps=${FRPS:-frps} frpc=${FRPC:-frpc} rathole=${RATHOLE:-rathole} haproxy=${HAPROXY:-haproxy}
there() { command -v "$1" >/dev/null; }
name=a.$domain
free_port && target=$port
programs=()
said=()

agent alice --names "$name"
public_proxy public 0 --bind 127.0.0.1
public=$pid one=$port
private_proxy private alice "127.0.0.1:$one" --announce "$name=127.0.0.1:$target"
programs+=("webproxy:$public:$pid:$one")
said+=("webproxy with ${JAVA_OPTS:-default options}")

if there "$frps" && there "$frpc"; then
  free_port && control=$port
  free_port && clients=$port
  printf 'bindAddr = "127.0.0.1"\nbindPort = %s\nvhostHTTPSPort = %s\nproxyBindAddr = "127.0.0.1"\nlog.level = "warn"\n' "$control" "$clients" >"$work/frps.toml"
  cat >"$work/frpc.toml" <<EOF_FRPC
serverAddr = "127.0.0.1"
serverPort = $control
log.level = "warn"
transport.tls.enable = false
transport.poolCount = 5
[[proxies]]
name = "a"
type = "https"
localIP = "127.0.0.1"
localPort = $target
customDomains = ["$name"]
EOF_FRPC
  launch outer frps "$frps" -c "$work/frps.toml"
  listens "$control" "$work/frps.out"
  launch inner frpc "$frpc" -c "$work/frpc.toml"
  listens "$clients" "$work/frps.out"
  programs+=("frp:$outer:$inner:$clients")
  said+=("frp $("$frps" --version)")
else
  echo "frp isn't installed: left out"
fi

if there "$rathole"; then
  free_port && control=$port
  free_port && clients=$port
  printf '[server]\nbind_addr = "127.0.0.1:%s"\ndefault_token = "a"\n[server.services.a]\nbind_addr = "127.0.0.1:%s"\n' "$control" "$clients" >"$work/rathole-server.toml"
  printf '[client]\nremote_addr = "127.0.0.1:%s"\ndefault_token = "a"\n[client.services.a]\nlocal_addr = "127.0.0.1:%s"\n' "$control" "$target" >"$work/rathole-client.toml"
  RUST_LOG=warn launch outer rathole-server "$rathole" --server "$work/rathole-server.toml"
  listens "$control" "$work/rathole-server.out"
  RUST_LOG=warn launch inner rathole-client "$rathole" --client "$work/rathole-client.toml"
  listens "$clients" "$work/rathole-client.out"
  programs+=("rathole:$outer:$inner:$clients")
  said+=("$("$rathole" --version | tr '\n' ' ' | cut -c 1-40)")
else
  echo "rathole isn't installed: left out"
fi
[ ${#programs[@]} -gt 1 ] || die "neither frp nor rathole is installed."

if there "$haproxy"; then
  free_port && middle=$port
  free_port && clients=$port
  relay() { # name, port, port of the next, how it is chosen
    cat >"$work/$1.cfg" <<EOF_HAPROXY
global
  maxconn 5000
  nbthread 2
defaults
  mode tcp
  timeout connect 5s
  timeout client 1h
  timeout server 1h
frontend in
  bind 127.0.0.1:$2
$4
backend next
  server next 127.0.0.1:$3
EOF_HAPROXY
    launch pid "$1" "$haproxy" -db -f "$work/$1.cfg"
  }
  relay haproxy-inner "$middle" "$target" "  default_backend next" && inner=$pid
  relay haproxy-outer "$clients" "$middle" "  tcp-request inspect-delay 5s
  tcp-request content accept if { req.ssl_hello_type 1 }
  use_backend next if { req.ssl_sni -i $name }" && outer=$pid
  listens "$middle" "$work/haproxy-inner.out"
  listens "$clients" "$work/haproxy-outer.out"
  programs+=("haproxy:$outer:$inner:$clients")
  said+=("$("$haproxy" -v | sed -n '1s/ - .*//p'), twice")
else
  echo "HAProxy isn't installed: left out"
fi

mkdir "$work/classes"
"${java%java}javac" -d "$work/classes" TunnelPeers.java
(IFS=,; echo "${said[*]}; $(nproc) processors")
"$java" -Dhertz="$(getconf CLK_TCK)" -Dlevel="${LEVEL:-1.1}" -cp "$work/classes" TunnelPeers "${ROUNDS:-5}" "${MIB:-512}" "${CONNECTIONS:-2000}" "${WARMUP:-12}" "${PAUSE:-75}" \
  "$name" "$target" "${programs[@]}"
