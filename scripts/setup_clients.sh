#!/usr/bin/env bash
# Installs the clients that the servers are tested with, where that can be done: curl, wrk and lftp.
# Run by `make test`. Does nothing where all are there; says what to do where they can't be installed.

set -euo pipefail

missing=()
for client in curl wrk lftp; do
    command -v "$client" >/dev/null || missing+=("$client")
done

# Installs one package; an older list of packages is read anew once. Each for itself: one that can't be had keeps no other out.
install() {
    apt-get install -y -qq --no-install-recommends "$1" ||
        { apt-get update -qq && apt-get install -y -qq --no-install-recommends "$1"; }
}

if [ ${#missing[@]} = 0 ]; then
    echo "setup: curl, wrk and lftp are there"
elif [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    export DEBIAN_FRONTEND=noninteractive
    for client in "${missing[@]}"; do
        echo "setup: installing $client with apt-get"
        install "$client" >/dev/null 2>&1 || echo "setup: $client can't be installed; tests with it are skipped"
    done
else
    echo "setup: tests with ${missing[*]} are skipped; to run them: sudo apt-get install ${missing[*]}"
fi
