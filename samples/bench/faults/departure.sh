#!/usr/bin/env bash
# A client that leaves is noticed at once: how long it takes until the upstream's connection ends, as a table over method, request body, protocol, TLS
# provider, phase and way of leaving. Takes about two minutes. Ends with 1 when a cell takes longer than MOST, or for ever.
#
# Options by environment: MOST (100; milliseconds), JAR, JAVA (java).
set -euo pipefail
cd "$(dirname "$0")/../tools"
# shellcheck source=common.sh
. ./common.sh
need openssl

certificate
"$java" -cp "$jar" Departure.java "$work/cert.pem" "$work/key.pem" "${MOST:-100}"
