#!/usr/bin/env bash
# Installs the browser in which the status page is tested, where that can be done: Debian's Chromium with its driver.
# Run by `make test`. Does nothing where both are there; says what to do where they can't be installed.

set -euo pipefail

if command -v chromedriver >/dev/null && command -v chromium >/dev/null; then
    echo "setup: chromium is there"
elif [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "setup: installing chromium and chromium-driver with apt-get"
    export DEBIAN_FRONTEND=noninteractive
    if ! { apt-get install -y -qq chromium chromium-driver || { apt-get update -qq && apt-get install -y -qq chromium chromium-driver; }; } >/dev/null 2>&1; then
        echo "setup: chromium can't be installed; tests in a browser are skipped"
    fi
else
    echo "setup: tests in a browser are skipped; to run them: sudo apt-get install chromium chromium-driver"
fi
