#!/bin/bash
# Starts a new vault in a folder of its own, runs a program against it, and leaves nothing behind:
#   with_vault.sh SAT_VAULTD PROGRAM...     runs PROGRAM... HOST:PORT SHA256:<fingerprint>; its status is the result
# SPDX-License-Identifier: Apache-2.0
set -euo pipefail

vaultd=$1
shift
work=$(mktemp -d)
vault=

# shellcheck disable=SC2317  # the trap calls it
finish() {
    if [ -n "$vault" ]; then
        kill "$vault" 2>/dev/null || true
        wait "$vault" 2>/dev/null || true
    fi
    rm -rf "$work"
}
trap finish EXIT

"$vaultd" init --data "$work/data" --no-passphrase >"$work/init.out" 2>"$work/init.err" || {
    cat "$work/init.out" "$work/init.err" >&2
    exit 1
}
"$vaultd" run --data "$work/data" --listen 127.0.0.1:0 --allow-root >"$work/run.out" 2>"$work/run.err" &
vault=$!

address=
fingerprint=
for _ in $(seq 1 300); do
    address=$(sed -n 's/^listening \(.*\)$/\1/p' "$work/run.out" "$work/run.err" | head -n 1)
    fingerprint=$(sed -n 's/.*fingerprint \(SHA256:[0-9a-f]\{64\}\).*/\1/p' "$work/run.out" "$work/run.err" | head -n 1)
    if [ -n "$address" ] && [ -n "$fingerprint" ]; then
        break
    fi
    kill -0 "$vault" 2>/dev/null || break
    sleep 0.1
done
if [ -z "$address" ] || [ -z "$fingerprint" ]; then
    echo "the vault did not start to listen" >&2
    cat "$work/run.out" "$work/run.err" >&2
    exit 1
fi

# What a test may look at or do beside the connection: the vault's files, and what its operator can.
export SAT_VAULTD=$vaultd
export SAT_VAULT_DATA=$work/data

status=0
"$@" "$address" "$fingerprint" || status=$?
if [ "$status" -ne 0 ]; then
    echo "what the vault wrote:" >&2
    cat "$work/run.out" "$work/run.err" >&2
fi
exit "$status"
