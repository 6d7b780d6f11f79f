#!/usr/bin/env bash
# Fetches what package-lock.json names from npm's registry, checked against its hashes, into DIR/node_modules; does
# nothing where DIR has it already:   fetch.sh DIR
# SPDX-License-Identifier: Apache-2.0
set -euo pipefail

[[ $# == 1 ]] || {
    echo "usage: fetch.sh DIR" >&2
    exit 64
}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mkdir -p "$1"
cd "$1"
cmp -s "$here/package-lock.json" fetched.json && exit 0

rm -f fetched.json
cp "$here/package.json" "$here/package-lock.json" .
npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
cp package-lock.json fetched.json
