#!/usr/bin/env bash
# The proxy's HPACK beside another implementation, the Python package hpack: valid, changed and random blocks to both decoders, which must take the same fields
# or both refuse; blocks of the proxy's encoder to the other decoder. Ends with 1 at the first difference; a few are allowed, see programs/hpack_fuzz.py.
#
# Options by environment: SECONDS_ (300), SEED (the time), PYTHON (python3; with the package hpack, by pip or Debian's python3-hpack), JAR, JAVA (java; with a
# javac beside it).
set -euo pipefail
cd "$(dirname "$0")/../tools"
# shellcheck source=common.sh
. ./common.sh
python=${PYTHON:-python3}
need javac "$python"
"$python" -c 'import hpack' 2>/dev/null || die "the Python package hpack is needed and not installed."
mkdir "$work/classes"
javac -cp "$jar" -d "$work/classes" HpackPeer.java
"$python" programs/hpack_fuzz.py "${SECONDS_:-300}" "${SEED:-$(date +%s)000}" "$java" -Xmx128m -cp "$work/classes:$jar" io.webproxy.undertow.http2.HpackPeer
