#!/usr/bin/env bash
# Fetches the registry against which `runner publish` and `runner pull` are tested: Debian's docker-registry.
# Run by `make test`. It is unpacked into target/registry, not installed: no service starts. Does nothing where it is
# there; says what to do where it can't be had.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly folder=target/registry

fetch() {
    local made
    made=$(mktemp -d)
    trap 'rm -rf "'"$made"'"' EXIT
    (
        cd "$made"
        apt-get download -qq docker-registry || { apt-get update -qq && apt-get download -qq docker-registry; }
        dpkg -x docker-registry_*.deb unpacked
    ) >/dev/null 2>&1 || return 1
    mkdir -p "$folder"
    cp "$made/unpacked/usr/bin/docker-registry" "$folder/"
}

if command -v docker-registry >/dev/null || [ -x "$folder/docker-registry" ]; then
    echo "setup: docker-registry is there"
elif command -v apt-get >/dev/null && command -v dpkg >/dev/null && fetch; then
    echo "setup: docker-registry is in $folder"
else
    echo "setup: tests with a registry are skipped; to run them: apt-get install docker-registry"
fi
