#!/usr/bin/env bash
# Names the Debian 12 packages this project needs, once, for everybody, and installs those that are missing.
#   cmake/packages.sh build|test|check|sanitize|bench   install what is missing; milliseconds where nothing is
#   cmake/packages.sh --list SET                        print the names, one a line
# build compiles and runs, test adds what the tests need; check adds to both what the target `check` needs, sanitize what
# tests/sanitize and tests/fuzz/run need.  bench is build and the programs that tests/bench/run measures SAT beside.
# SPDX-License-Identifier: Apache-2.0
set -euo pipefail

# libvips42 (by libvips-dev) brings the loaders for all six media types; AVIF is libheif1 with dav1d inside.
build=(
    g++ cmake ninja-build pkgconf ccache
    libssl-dev libasio-dev nlohmann-json3-dev libcli11-dev libexpected-dev libsqlite3-dev libspdlog-dev
    libutf8proc-dev libvips-dev
)
# openssl: the tests open our key files with the stock tool.  nodejs: the second implementation of the client.
# jose and npm (for the package of the same name): stock tools verify our statements.
# spass, eprover, spin and gcc: the models of the handshake and of the transfer's rules.
# iproute2: three hosts as network namespaces.  valgrind: counts instructions.
test=(libgtest-dev libgmock-dev openssl nodejs npm jose spass eprover spin gcc iproute2 valgrind)
check=(clang-format clang-tidy shellcheck mandoc)
# clang brings the sanitizers and libFuzzer only with its run-time library; llvm names the lines in what they report.
sanitize=(clang libclang-rt-14-dev llvm)
bench=(
    libbenchmark-dev python3 openssl openssh-server openssh-client nginx curl postgresql postgresql-contrib mosquitto
    age gnupg
)

say() { printf 'packages: %s\n' "$*" >&2; }
usage() {
    echo "usage: cmake/packages.sh [--list] build|test|check|sanitize|bench" >&2
    exit 64
}

list=no
if [[ ${1-} == --list ]]; then
    list=yes
    shift
fi
[[ $# == 1 ]] || usage
case $1 in
    build) wanted=("${build[@]}") ;;
    test) wanted=("${build[@]}" "${test[@]}") ;;
    check) wanted=("${build[@]}" "${test[@]}" "${check[@]}") ;;
    sanitize) wanted=("${build[@]}" "${test[@]}" "${sanitize[@]}") ;;
    bench) wanted=("${build[@]}" "${bench[@]}") ;;
    *) usage ;;
esac
if [[ $list == yes ]]; then
    printf '%s\n' "${wanted[@]}"
    exit 0
fi

if ! { command -v dpkg-query && command -v apt-get; } >/dev/null; then
    say "this is no Debian system; install the equivalents of these yourself: ${wanted[*]}"
    exit 69
fi

# dpkg-query fails when it knows no package of a name, which here only says that it is missing.
declare -A installed=()
while read -r name status; do
    [[ $status == installed ]] && installed[$name]=yes
done < <(dpkg-query --show --showformat='${Package} ${db:Status-Status}\n' "${wanted[@]}" 2>/dev/null || true)
missing=()
for name in "${wanted[@]}"; do
    # Node.js from elsewhere brings npm with it, and does not go together with Debian's.
    if [[ $name == npm ]] && command -v npm >/dev/null; then continue; fi
    [[ -n ${installed[$name]-} ]] || missing+=("$name")
done
[[ ${#missing[@]} == 0 ]] && exit 0

as_root=()
if [[ $EUID != 0 ]]; then
    if ! command -v sudo >/dev/null; then
        say "missing: ${missing[*]}"
        say "this user is not root and there is no sudo; as root, run: apt-get install ${missing[*]}"
        exit 77
    fi
    as_root=(sudo)
    [[ -t 0 ]] || as_root+=(--non-interactive)
    if ! "${as_root[@]}" true; then
        say "missing: ${missing[*]}"
        say "sudo refused; as root, run: apt-get install ${missing[*]}"
        exit 77
    fi
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 "$@" >>"$log" 2>&1 </dev/null; }

say "installing ${missing[*]} (a bare system takes some minutes)"
# A failed update is no end: the lists that are there may do.  If they do not, its complaint is in the log.
apt update || true
if ! apt install --yes --no-install-recommends "${missing[@]}"; then
    cat "$log" >&2
    say "apt-get could not install ${missing[*]}; what it said is above"
    exit 69
fi
