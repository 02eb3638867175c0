#!/usr/bin/env bash
# Makes the virtual environment .venv with witgen and its development tools. Run by `make setup`.
#
# It needs Python 3.11 or newer; PYTHON=/path/to/python chooses one. Where Debian's venv package is missing it is
# installed if we are root; otherwise the command to run is printed. Does nothing where .venv is up to date.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly venv=.venv stamp=.venv/.stamp

# What .venv was made from: the folder, since scripts in it name it, and the list of packages.
wanted() {
    pwd -P
    cat pyproject.toml
}

runs() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

makes_venvs() { "$1" -c 'import ensurepip, venv' >/dev/null 2>&1; }

# The first interpreter that is new enough, one that can make a virtual environment before one that can't.
find_python() {
    local name found=""
    for name in ${PYTHON:-python3.13 python3.12 python3.11 python3}; do
        runs "$name" || continue
        if makes_venvs "$name"; then
            found=$name
            break
        fi
        found=${found:-$name}
    done
    echo "$found"
}

can_install() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }

apt_install() {
    echo "setup: installing $* with apt-get"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

fail() {
    printf 'setup: %s\n' "$@" >&2
    exit 1
}

# Whether .venv can be kept: it runs, and the folder has not been moved since.
usable() {
    runs "$venv/bin/python" || return 1
    [ ! -f "$stamp" ] || [ "$(head -n 1 "$stamp")" = "$(pwd -P)" ]
}

make_venv() {
    local python package
    python=$(find_python)
    if [ -z "$python" ] && [ -z "${PYTHON:-}" ] && can_install; then
        apt_install python3 python3-venv
        python=$(find_python)
    fi
    [ -n "$python" ] || fail "Python 3.11 or newer is needed; PYTHON=/path/to/python names one that is not on the PATH"
    if ! makes_venvs "$python"; then
        package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
        if can_install; then
            apt_install "$package"
        fi
        makes_venvs "$python" || fail "$python can't make virtual environments. On Debian and Ubuntu, run as root:" \
            "  apt-get install $package" "and then make again."
    fi
    echo "setup: making $venv with $("$python" --version)"
    "$python" -m venv --clear "$venv"
}

if usable && wanted | cmp -s - "$stamp"; then
    echo "setup: $venv is up to date"
    exit 0
fi
usable || make_venv
rm -f "$stamp"
echo "setup: installing witgen and its development tools"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --editable '.[dev,runner,registry,otel]'
wanted >"$stamp"
echo "setup: done; $venv/bin/witgen is ready"
