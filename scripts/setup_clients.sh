#!/usr/bin/env bash
# Installs the FTP clients with which `runner serve ftp` is tried, where that can be done: curl and lftp.
# Run by `make test`. Does nothing where both are there; says what to do where they can't be installed.

set -euo pipefail

if command -v curl >/dev/null && command -v lftp >/dev/null; then
    echo "setup: curl and lftp are there"
elif [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "setup: installing curl and lftp with apt-get"
    export DEBIAN_FRONTEND=noninteractive
    if ! { apt-get install -y -qq curl lftp || { apt-get update -qq && apt-get install -y -qq curl lftp; }; } >/dev/null 2>&1; then
        echo "setup: lftp can't be installed; tests with it are skipped"
    fi
else
    echo "setup: tests with lftp are skipped; to run them: sudo apt-get install curl lftp"
fi
