# A CA for measurements, sourced by them behind common.sh: Pebble and its DNS server, on free ports.
# Options by environment: PEBBLE (pebble), CHALLTESTSRV (pebble-challtestsrv), VALIDITY of all certificates in seconds.
pebble=${PEBBLE:-pebble}
challtestsrv=${CHALLTESTSRV:-pebble-challtestsrv}

free_ports() { # how many: that many ports that nobody listens on right now
  python3 -c 'import socket, sys
all = [socket.socket() for _ in range(int(sys.argv[1]))]
for one in all:
    one.bind(("127.0.0.1", 0))
print(*[one.getsockname()[1] for one in all])' "$1"
}

# Sets $directory, $ca_pem, to trust that by, $ca_root, which certificates are issued from, $http_port, $https_port, $dns_port and $dns_management.
pebble_start() { # environment of Pebble…
  read -r http_port https_port dns_port management ca_port ca_management < <(free_ports 6)
  dns_management=http://127.0.0.1:$management/
  directory=https://127.0.0.1:$ca_port/dir
  ca_pem=$work/ca-web.pem
  ca_root=$work/ca-root.pem
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout "$work/ca-web.key" -out "$ca_pem" 2>/dev/null
  cat >"$work/pebble.json" <<JSON
{"pebble": {"listenAddress": "127.0.0.1:$ca_port", "managementListenAddress": "127.0.0.1:$ca_management",
  "certificate": "$ca_pem", "privateKey": "$work/ca-web.key", "httpPort": $http_port, "tlsPort": $https_port,
  "certificateValidityPeriod": ${VALIDITY:-7776000},
  "externalAccountBindingRequired": ${EAB:-false}, "externalAccountMACKeys": {"kid-1": "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"},
  "profiles": {"default": {"description": "long", "validityPeriod": ${VALIDITY:-7776000}}, "shortlived": {"description": "short", "validityPeriod": ${VALIDITY:-518400}}}}}
JSON
  # older ones have no DNS over HTTPS, newer ones open a fixed port for it; the newest have another name for the DNS server
  local doh=() dns_option=-dns01 help
  help=$("$challtestsrv" -h 2>&1) || true
  [[ $help != *-doh* ]] || doh=(-doh "")
  [[ $help == *-dns01* ]] || dns_option=-dnsserver
  "$challtestsrv" -defaultIPv6 "" -defaultIPv4 127.0.0.1 -http01 "" -https01 "" -tlsalpn01 "" "${doh[@]}" "$dns_option" "127.0.0.1:$dns_port" \
    -management "127.0.0.1:$management" >"$work/challtestsrv.log" 2>&1 &
  local dns=$!
  pids+=("$dns")
  env PEBBLE_VA_NOSLEEP=1 "$@" "$pebble" -config "$work/pebble.json" -dnsserver "127.0.0.1:$dns_port" >"$work/pebble.log" 2>&1 &
  pebble_pid=$!
  pids+=($!)
  for _ in $(seq 100); do
    curl --silent --cacert "$ca_pem" -o /dev/null "$directory" &&
      curl --silent --cacert "$ca_pem" -o "$ca_root" "https://127.0.0.1:$ca_management/roots/0" &&
      curl --silent -o /dev/null "$dns_management" && return 0
    kill -0 "$dns" "$pebble_pid" 2>/dev/null || break
    sleep 0.1
  done
  die "Pebble did not start: $(tail -qn 1 "$work/pebble.log" "$work/challtestsrv.log")"
}
