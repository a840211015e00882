#!/usr/bin/env bash
# The status page in Chromium, at 1,280 and 360 pixels, light and dark, of a proxy with a failing upstream, an expiring certificate, names that are markup and 500 event streams: axe-core finds
# no violation, nothing comes from elsewhere, no name becomes markup, and no page is wider than its window. Then 16 viewers watch, the 17th is refused, and a place is free when one leaves.
#
# Options by environment: STREAMS (500), SHOTS (a directory for the screenshots; none are kept without), CHROMIUM (chromium), AXE (axe.min.js; default: that of the npm registry), JAR, JAVA (java).
set -euo pipefail
cd "$(dirname "$0")/../tools"
# shellcheck source=common.sh
. ./common.sh
chromium=${CHROMIUM:-chromium}
need curl openssl node "$chromium"
streams=${STREAMS:-500}
shots=${SHOTS:-$work}
mkdir -p "$shots"

axe=${AXE:-}
if [ -z "$axe" ]; then
  need npm tar
  (cd "$work" && npm pack --silent axe-core@4 >/dev/null && tar -xzf axe-core-*.tgz package/axe.min.js) || die "axe-core isn't there: name its axe.min.js in AXE."
  axe=$work/package/axe.min.js
fi
certificate

"$java" Upstream.java >"$work/upstream.out" 2>"$work/upstream.err" &
pids+=($!)
ready $! upstream
upstream=$uri
"$java" -Xmx256m -cp "$jar" StatusScene.java "$upstream" "$work/cert.pem" "$work/key.pem" "$streams" >"$work/scene.out" 2>"$work/scene.err" &
pids+=($!)
ready $! scene
status=
until [ -n "$status" ]; do
  status=$(sed -n 's/^status //p' "$work/scene.out")
  sleep 0.1
done

failed=0
STREAMS=$streams node status-page.mjs "$status" "$axe" "$shots" "$chromium" || failed=1

viewers=()
for _ in $(seq 16); do
  curl -sN "${status}events" >"$work/viewer" 2>/dev/null &
  viewers+=($!)
  pids+=($!)
done
watching() {
  curl -s "${status}status.json" | sed -n 's/.*"viewers":\([0-9]*\).*/\1/p'
}
for _ in $(seq 100); do
  if [ "$(watching)" = 16 ]; then break; fi
  sleep 0.1
done
code=$(curl -s -o "$work/null" -w '%{http_code}' -m 5 "${status}events" || true)
if [ "$code" = 503 ]; then echo "the 17th viewer: ok (503)"; else
  echo "the 17th viewer: FAILED ($code)"
  failed=1
fi
kill "${viewers[0]}"
for _ in $(seq 50); do
  if [ "$(watching)" = 15 ]; then break; fi
  sleep 0.1
done
if [ "$(watching)" = 15 ]; then echo "a viewer that leaves is noticed: ok"; else
  echo "a viewer that leaves is noticed: FAILED ($(watching) watch)"
  failed=1
fi
[ "$failed" = 0 ] || exit 1
