#!/usr/bin/env bash
# Programs that people use, through the proxy over HTTPS: what comes through must be what was sent. Each is one line, `ok` or `FAILED`, with what it said.
# Prints how many ran and ends with 1 if one failed or fewer than 15 ran; one whose tool isn't installed is skipped, by name.
#
# Python's and Node's libraries are installed from their registries into a directory, by default one that goes when the script ends.
#
# Options by environment: ONLY (names of programs; default: all), PROGRAMS (a directory to keep libraries in), JAR, JAVA (java).
set -uo pipefail
cd "$(dirname "$0")/../tools" || exit 1
# shellcheck source=common.sh
. ./common.sh
need openssl python3 keytool
here=$PWD
libraries=${PROGRAMS:-$work/libraries}
mkdir -p "$libraries"
certificate
ca=$work/cert.pem
keytool -importcert -noprompt -alias ca -file "$ca" -keystore "$work/trust.p12" -storetype PKCS12 -storepass secret >/dev/null 2>&1
trust=(-Djavax.net.ssl.trustStore="$work/trust.p12" -Djavax.net.ssl.trustStorePassword=secret)

ran=0 failed=0 skipped=()
wanted() { # names: whether one of them is to run
  local name
  [ -n "${ONLY:-}" ] || return 0
  for name in "$@"; do [[ " $ONLY " != *" $name "* ]] || return 0; done
  return 1
}
program() { # name, command…
  wanted "$1" || return 0
  local begin end
  begin=$(date +%s%N)
  ran=$((ran + 1))
  if timeout 180 "${@:2}" >"$work/said" 2>&1; then
    end=$(date +%s%N)
    printf '%-18s ok      %5d ms  %s\n' "$1" $(((end - begin) / 1000000)) "$(tail -n 1 "$work/said" | cut -c 1-100)"
  else
    failed=$((failed + 1))
    printf '%-18s FAILED  %s\n' "$1" "$(tail -n 3 "$work/said" | cut -c 1-300)"
  fi
}
without() { skipped+=("$1 (needs $2)"); }
has() { command -v "$1" >/dev/null; }

upstream() { # name, command…: starts it and waits for its `ready URL`, which goes into $uri
  "${@:2}" >"$work/$1.out" 2>"$work/$1.err" &
  pids+=($!)
  ready $! "$1"
}
proxy() { # name, options…: starts one more proxy; its URL goes into $uri
  # shellcheck disable=SC2086 # options are words
  upstream "$1" "$java" -Xmx128m ${JAVA_OPTS:-} -jar "$jar" expose --external-port 0 --cert "$ca" --key "$work/key.pem" "${@:2}"
}
listening() { # pid: the first port of 127.0.0.1 that the process listens on; for programs that don't say
  local port
  for _ in $(seq 300); do
    port=$(ss -Htlnp 2>/dev/null | sed -n "s/.*127\.0\.0\.1:\([0-9]*\) .*pid=$1,.*/\1/p" | head -n 1)
    [ -z "$port" ] || { uri=http://127.0.0.1:$port/; return 0; }
    kill -0 "$1" 2>/dev/null || return 1
    sleep 0.1
  done
  return 1
}

echo "installing libraries"
python=$libraries/python/bin/python
[ -x "$python" ] || python3 -m venv "$libraries/python" >/dev/null || die "python3 -m venv doesn't work."
for package in requests 'httpx[http2]' aiohttp openai boto3 jupyterlab gradio websockets; do
  "$libraries/python/bin/pip" -q install "$package" >>"$work/pip.log" 2>&1 || echo "pip has no $package"
done
if has npm; then
  mkdir -p "$libraries/node"
  (cd "$libraries/node" && npm install --silent --no-fund --no-audit socket.io socket.io-client openai >"$work/npm.log" 2>&1) || echo "npm failed"
fi
if has mvn; then
  for artifact in com.squareup.okhttp3:okhttp-jvm:5.5.1 com.squareup.okio:okio-jvm:3.18.1 org.jetbrains.kotlin:kotlin-stdlib:2.1.21; do
    mvn -q -B -ntp dependency:copy -Dartifact="$artifact" -DoutputDirectory="$libraries/okhttp" >>"$work/mvn.log" 2>&1 || echo "Maven has no $artifact"
  done
fi

# ---- clients of the demo service, which say who they are
upstream service "$java" -Xmx128m -jar "$jar" service
service=$uri
proxy demo --to "$service" --user user --password secret
demo=$uri
py() { program "$1" "$python" "$here/programs/clients.py" "$2" "${@:3}"; }

with_curl() { # options
  local curl=(curl --silent --show-error --cacert "$ca" --max-time 60 "$@")
  head -c 60000000 /dev/zero >"$work/large"
  [ "$("${curl[@]}" --header Expect: --data-binary @"$work/large" --output /dev/null --write-out '%{http_code}' "${demo}upload")" = 401 ] || { echo "early 401 lost"; return 1; }
  curl+=(--user user:secret)
  [ "$("${curl[@]}" "${demo}download/a?size=3000000" | wc -c)" = 3000000 ] || { echo download; return 1; }
  "${curl[@]}" --data-binary @"$work/large" "${demo}upload" | grep -q '"bytes":60000000' || { echo upload; return 1; }
  "${curl[@]}" --header 'Transfer-Encoding: chunked' --data-binary @"$work/large" "${demo}upload" | grep -q '"bytes":60000000' || { echo chunked; return 1; }
  "${curl[@]}" --header 'Expect: 100-continue' --upload-file "$work/large" "${demo}upload" | grep -q '"bytes":60000000' || { echo expect; return 1; }
  rm -f "$work/rest"
  "${curl[@]}" --continue-at 1000 --output "$work/rest" "${demo}download/a?size=3000" && [ "$(stat -c %s "$work/rest")" = 2000 ] || { echo range; return 1; }
}
with_wget() {
  wget --quiet --ca-certificate="$ca" --user=user --password=secret --output-document="$work/wget" "${demo}download/a?size=3000000" &&
    [ "$(stat -c %s "$work/wget")" = 3000000 ] || return 1
  truncate -s 1000000 "$work/wget"
  wget --quiet --ca-certificate="$ca" --user=user --password=secret --continue --output-document="$work/wget" "${demo}download/a?size=3000000" &&
    [ "$(stat -c %s "$work/wget")" = 3000000 ]
}
with_chromium() { # the demo's page, which tries out a request, events, a WebSocket and downloads, and marks each
  chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update \
    --disable-sync --ignore-certificate-errors --user-data-dir="$work/chromium" --timeout=10000 --dump-dom "$1" >"$work/page" 2>/dev/null
  [ "$(grep -c 'class="mark ok"' "$work/page")" = 4 ] || { grep 'class="mark' "$work/page"; return 1; }
}
export -f with_wget with_curl with_chromium
export ca demo work
if has curl; then
  program curl bash -c 'with_curl --http1.1'
  program curl-http2 bash -c 'with_curl --http2'
else without curl curl; fi
if has wget; then program wget bash -c with_wget; else without wget wget; fi
if ! has chromium; then without chromium chromium; elif wanted chromium; then
  proxy page --to "$service"
  program chromium bash -c 'with_chromium "$1"' - "$uri"
fi
py requests requests "$demo" "$ca"
py httpx httpx "$demo" "$ca"
py httpx-http2 httpx_http2 "$demo" "$ca"
py aiohttp aiohttp "$demo" "$ca"
py urllib urllib "$demo" "$ca"
if has node; then
  cd "$libraries/node" && program node-fetch env NODE_EXTRA_CA_CERTS="$ca" node "$here/programs/clients.mjs" fetch "$demo"
  cd "$here" || exit 1
else without node-fetch node; fi
if has go; then
  wanted go && (cp programs/client.go "$work/main.go" && cd "$work" && GO111MODULE=off go build -o client main.go)
  program go env SSL_CERT_FILE="$ca" "$work/client" "$demo"
else without go go; fi
for kind in httpclient http2 urlconnection; do
  program "java-$kind" "$java" "${trust[@]}" programs/Clients.java "$kind" "$demo"
done
if [ -d "$libraries/okhttp" ]; then
  program okhttp "$java" "${trust[@]}" -cp "$libraries/okhttp/*" programs/OkHttp.java "$demo"
else without okhttp Maven; fi

# ---- a model whose client closes the stream early
if wanted openai-python openai-node; then
  gone=$work/gone
  upstream model "$python" programs/upstreams.py model "$gone"
  proxy gateway --to "$uri"
  py openai-python openai "$uri" "$ca" "$gone"
  if has node; then
    cd "$libraries/node" && program openai-node env NODE_EXTRA_CA_CERTS="$ca" node "$here/programs/clients.mjs" openai "$uri" "$gone"
    cd "$here" || exit 1
  else without openai-node node; fi
fi
if ! has node; then without socket.io node; elif wanted socket.io; then
  cd "$libraries/node" || exit 1
  upstream sockets node "$here/programs/clients.mjs" socketio-server
  cd "$here" || exit 1
  proxy socketio --to "$uri"
  cd "$libraries/node" && program socket.io env NODE_EXTRA_CA_CERTS="$ca" node "$here/programs/clients.mjs" socketio "$uri"
  cd "$here" || exit 1
fi

# ---- git: clone, push, clone again
if ! has git; then without git git; elif wanted git; then
  git init --quiet --bare "$work/repositories/a.git"
  git -C "$work/repositories/a.git" config http.receivepack true
  upstream gitd "$python" programs/upstreams.py git "$work/repositories"
  proxy git --to "$uri"
  with_git() {
    export GIT_SSL_CAINFO=$ca # stronger than http.sslCAInfo
    local git=(git -c user.name=a -c user.email=a@example.com -c init.defaultBranch=main)
    "${git[@]}" clone --quiet "$1a.git" "$work/one" && cd "$work/one" || return 1
    head -c 5000000 /dev/urandom >large && "${git[@]}" add large && "${git[@]}" commit --quiet -m one || return 1
    # above http.postBuffer: the pack is sent in chunks
    "${git[@]}" push --quiet origin HEAD:main || return 1
    "${git[@]}" clone --quiet --branch main "$1a.git" "$work/two" && cmp "$work/one/large" "$work/two/large"
  }
  export -f with_git
  program git bash -c 'with_git "$1"' - "$uri"
fi

# ---- WebDAV: rclone on both ends
if ! has rclone; then without rclone-webdav rclone; elif wanted rclone-webdav; then
  mkdir "$work/dav" "$work/files"
  for i in $(seq 30); do head -c $((i * 20000)) /dev/urandom >"$work/files/file $i ü.bin"; done
  rclone serve webdav "$work/dav" --addr 127.0.0.1:0 >"$work/dav.out" 2>&1 &
  pids+=($!)
  if listening $!; then
    proxy webdav --to "$uri"
    with_rclone() {
      local rclone=(rclone --config /dev/null --ca-cert "$ca")
      "${rclone[@]}" copy "$work/files" ":webdav,url='$1':" && "${rclone[@]}" check "$work/files" ":webdav,url='$1':" --download &&
        "${rclone[@]}" moveto ":webdav,url='$1':file 1 ü.bin" ":webdav,url='$1':sub dir/moved.bin" &&
        "${rclone[@]}" delete ":webdav,url='$1':" && [ -z "$("${rclone[@]}" lsf --files-only -R ":webdav,url='$1':")" ]
    }
    export -f with_rclone
    program rclone-webdav bash -c 'with_rclone "$1"' - "$uri"
  else without rclone-webdav "rclone with serve webdav on port 0"; fi
fi

# ---- S3
if wanted s3-boto3; then
  upstream s3 "$python" programs/upstreams.py s3
  proxy s3proxy --to "$uri"
  py s3-boto3 boto3 "$uri" "$ca"
fi

# ---- a registry of container images
if ! has docker-registry || ! has skopeo; then without registry-skopeo "docker-registry and skopeo"; elif wanted registry-skopeo; then
  cat >"$work/registry.yml" <<YML
version: 0.1
storage: {filesystem: {rootdirectory: $work/registry}}
http: {addr: "127.0.0.1:0"}
YML
  docker-registry serve "$work/registry.yml" >"$work/registry.out" 2>&1 &
  pids+=($!)
  if listening $!; then
    proxy registry-proxy --to "$uri"
    with_skopeo() { # an image of one layer of 30 MB: pushed, and pulled again
      local image=$work/image layer config manifest
      mkdir -p "$image/blobs/sha256" "$work/certs" && cp "$ca" "$work/certs/ca.crt"
      blob() { local sum; sum=$(sha256sum "$1" | cut -d' ' -f1); mv "$1" "$image/blobs/sha256/$sum"; echo "$sum"; }
      head -c 30000000 /dev/urandom >"$work/content" && tar -C "$work" -cf "$work/layer" content && layer=$(blob "$work/layer")
      printf '{"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' "$layer" >"$work/config" && config=$(blob "$work/config")
      size() { stat -c %s "$image/blobs/sha256/$1"; }
      printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:%s","size":%s},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"sha256:%s","size":%s}]}' \
        "$config" "$(size "$config")" "$layer" "$(size "$layer")" >"$work/manifest" && manifest=$(blob "$work/manifest")
      printf '{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:%s","size":%s,"annotations":{"org.opencontainers.image.ref.name":"v1"}}]}' \
        "$manifest" "$(size "$manifest")" >"$image/index.json"
      echo '{"imageLayoutVersion":"1.0.0"}' >"$image/oci-layout"
      local host=${1#https://}
      skopeo --insecure-policy copy --quiet --dest-cert-dir "$work/certs" "oci:$image:v1" "docker://${host}a/b:v1" &&
        skopeo --insecure-policy copy --quiet --src-cert-dir "$work/certs" "docker://${host}a/b:v1" "oci:$work/pulled:v1" &&
        cmp "$work/content" <(tar -xOaf "$(find "$work/pulled/blobs" -size +10M)" content)
    }
    export -f with_skopeo
    program registry-skopeo bash -c 'with_skopeo "$1"' - "$uri"
  else without registry-skopeo "a docker-registry that starts"; fi
fi

# ---- JupyterLab and Gradio
if wanted jupyterlab; then
  env HOME="$work" "$libraries/python/bin/jupyter-lab" --no-browser --allow-root --ip 127.0.0.1 --port 0 --ServerApp.token= --ServerApp.password= \
    --ServerApp.disable_check_xsrf=True --ServerApp.allow_remote_access=True --ServerApp.root_dir="$work" >"$work/jupyter.out" 2>&1 &
  pids+=($!)
  if listening $!; then
    proxy lab --to "$uri"
    py jupyterlab jupyterlab "$uri" "$ca"
  else without jupyterlab "a JupyterLab that starts"; fi
fi
if wanted gradio; then
  upstream gradio env GRADIO_ANALYTICS_ENABLED=False "$python" programs/upstreams.py gradio
  proxy gradio-proxy --to "$uri"
  py gradio gradio "$uri" "$ca"
fi

echo "$ran ran, $failed failed, ${#skipped[@]} skipped${skipped[*]:+: ${skipped[*]}}"
[ "$failed" -eq 0 ] && { [ -n "${ONLY:-}" ] || [ "$ran" -ge 15 ]; }
