#!/usr/bin/env bash
# Peak resident memory of the three programs while an image of 1 GiB is uploaded and requested; fails at 64 MiB.
#
#   tests/bench/memory.sh [MIB [DIRECTORY]]
#
# MIB is the image's size (default 1024, at most 4000: TIFF's offsets end at 4 GiB), DIRECTORY where it and the vault
# lie (default $TMPDIR or /tmp); there has to be room for three times MIB: the image, the vault's copy, the collector's.
# The programs are those of build/bin, or of $SAT_BIN.  The figures are VmHWM, the kernel's own high-water mark, read
# from /proc until each process ends; the picture helper has a cap of its own and is not counted.
# SPDX-License-Identifier: Apache-2.0
set -euo pipefail

mib=${1:-1024}
place=${2:-${TMPDIR:-/tmp}}
bin=${SAT_BIN:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/build/bin}
limit_kib=$((64 * 1024))
[[ $mib =~ ^[0-9]+$ && $mib -ge 1 && $mib -le 4000 ]] || {
    echo "usage: tests/bench/memory.sh [MIB [DIRECTORY]], MIB from 1 to 4000" >&2
    exit 64
}
for program in sat-artist sat-collector sat-vaultd sat-picture; do
    [[ -x $bin/$program ]] || {
        echo "memory.sh: no $bin/$program; build first, or set SAT_BIN" >&2
        exit 66
    }
done
stage=$(mktemp -d "$place/sat-memory.XXXXXX")
vault_pid=
clean_up() {
    local status=$?
    if [[ -n $vault_pid ]]; then
        kill "$vault_pid" 2>/dev/null || true
        wait "$vault_pid" 2>/dev/null || true
    fi
    rm -rf "$stage"
    exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
umask 077

free_mib=$(($(stat -f -c '%a * %S' "$stage") / 1048576))
if ((free_mib < 3 * mib + 200)); then
    echo "memory.sh: $place has $free_mib MiB free, $((3 * mib + 200)) are needed" >&2
    exit 74
fi

# --- an image: an uncompressed RGB TIFF in strips of 768 KiB, its pixels a hole in the file -------------------------
u16() { printf '%b' "$(printf '\\x%02x\\x%02x' $(($1 & 255)) $(($1 >> 8 & 255)))"; }
u32() { printf '%b' "$(printf '\\x%02x\\x%02x\\x%02x\\x%02x' $(($1 & 255)) $(($1 >> 8 & 255)) $(($1 >> 16 & 255)) $(($1 >> 24 & 255)))"; }
field() { u16 "$1" && u16 "$2" && u32 "$3" && u32 "$4"; }
width=8192
rows=32
strip=$((width * 3 * rows))
strips=$(((mib * 1048576 + strip - 1) / strip))
fields=10
bits_at=$((8 + 2 + fields * 12 + 4))
offsets_at=$((bits_at + 6))
counts_at=$((offsets_at + 4 * strips))
data_at=$((counts_at + 4 * strips))
((strips > 1)) || { offsets_at=$data_at && counts_at=$strip; }
image=$stage/image.tif
{
    printf 'II' && u16 42 && u32 8 && u16 "$fields"
    field 256 4 1 "$width" && field 257 4 1 $((strips * rows)) && field 258 3 3 "$bits_at" && field 259 3 1 1
    field 262 3 1 2 && field 273 4 "$strips" "$offsets_at" && field 277 3 1 3 && field 278 4 1 "$rows"
    field 279 4 "$strips" "$counts_at" && field 284 3 1 1 && u32 0
    u16 8 && u16 8 && u16 8
    for ((i = 0; i < strips; ++i)); do u32 $((data_at + i * strip)); done
    for ((i = 0; i < strips; ++i)); do u32 "$strip"; done
} >"$image"
truncate -s $((data_at + strips * strip)) "$image"

# --- measure -----------------------------------------------------------------------------------------------------------
worst=0
report() {
    printf '%-24s %6d KiB\n' "$1" "$2"
    ((worst >= $2)) || worst=$2
}
peak_of() { sed -n 's/^VmHWM:[[:space:]]*\([0-9]*\).*/\1/p' "/proc/$1/status" 2>/dev/null || true; }
# measured NAME COMMAND...: runs it, reports its peak, shows what it said if it failed.
measured() {
    local name=$1 peak=0 now status=0
    shift
    "$@" >"$stage/out" 2>"$stage/err" </dev/null &
    local pid=$!
    while kill -0 "$pid" 2>/dev/null; do
        now=$(peak_of "$pid")
        [[ -z $now ]] || peak=$now
        sleep 0.02
    done
    wait "$pid" || status=$?
    if ((status != 0)); then
        cat "$stage/out" "$stage/err" >&2
        echo "memory.sh: $name failed with $status" >&2
        exit "$status"
    fi
    report "$name" "$peak"
}

"$bin/sat-artist" init --home "$stage/artist" --no-passphrase -q >/dev/null
"$bin/sat-collector" init --home "$stage/collector" --no-passphrase -q >/dev/null
"$bin/sat-vaultd" init --data "$stage/vault" --no-passphrase >/dev/null
"$bin/sat-vaultd" run --data "$stage/vault" --listen 127.0.0.1:0 --allow-root >"$stage/vault.out" 2>"$stage/vault.err" &
vault_pid=$!
for ((i = 0; i < 300; ++i)); do
    if grep -q '^listening ' "$stage/vault.out" && grep -q '^fingerprint ' "$stage/vault.out"; then break; fi
    kill -0 "$vault_pid" 2>/dev/null || { cat "$stage/vault.err" >&2 && exit 69; }
    sleep 0.1
done
address=$(sed -n 's/^listening //p' "$stage/vault.out" | head -n 1)
key=$(sed -n 's/^fingerprint //p' "$stage/vault.out" | head -n 1)
to_vault=(--vault "$address" --vault-key "$key" --no-input)

printf 'an image of %d bytes\n' "$(stat -c %s "$image")"
measured "sat-artist upload" "$bin/sat-artist" upload "$image" --title Large -q --home "$stage/artist" "${to_vault[@]}"
id=$(head -c 10 "$stage/out")
measured "sat-collector request" "$bin/sat-collector" request "$id" -o "$stage/copy.tif" --home "$stage/collector" "${to_vault[@]}"
report "sat-vaultd" "$(peak_of "$vault_pid")"
cmp "$image" "$stage/copy.tif"

if ((worst >= limit_kib)); then
    echo "memory.sh: $worst KiB is too much: the limit is $limit_kib KiB" >&2
    exit 1
fi
echo "all below $limit_kib KiB"
