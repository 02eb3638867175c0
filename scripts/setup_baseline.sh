#!/usr/bin/env bash
# Fetches what `runner baseline` measures with, where that can be done: Prometheus and jemalloc, Debian's packages.
#
# Nothing is installed and no service is started: the packages are unpacked into target/baseline (or the folder named as
# argument), where the command looks for them. Does nothing where both are there; says so where they can't be had.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly folder=${1:-target/baseline}

found() {
    case $1 in
    prometheus) command -v prometheus >/dev/null || [ -x "$folder/usr/bin/prometheus" ] ;;
    libjemalloc2) compgen -G '/usr/lib/*/libjemalloc.so.2' >/dev/null || compgen -G "$folder/usr/lib/*/libjemalloc.so.2" >/dev/null ;;
    esac
}

# Unpacks one package; where that fails for an old list of packages, and we are root, the list is read anew once.
fetch() {
    local own
    own=$(mktemp -d)
    (cd "$own" && { apt-get download -qq "$1" || { [ "$(id -u)" = 0 ] && apt-get update -qq && apt-get download -qq "$1"; }; }) &&
        dpkg-deb -x "$own"/"$1"_*.deb "$folder"
    local status=$?
    rm -rf "$own"
    return $status
}

mkdir -p "$folder"
for package in prometheus libjemalloc2; do
    if found "$package"; then
        echo "setup: $package is there"
    elif command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null && fetch "$package" >/dev/null 2>&1; then
        echo "setup: $package is in $folder"
    else
        echo "setup: $package can't be had; runner baseline has no figures from it"
    fi
done
