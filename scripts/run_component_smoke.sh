#!/usr/bin/env bash
# Sees whether a component works from its source to its clients: scripts/run_component_smoke.sh http|ftp [--prebuilt]
#
# Builds the component (or takes the one that comes with the project, where there is no Rust, or --prebuilt says so), has
# witgen verify it and the Runner inspect it, serves it on loopback with its flag on, and runs cases with real clients. Ends
# with 1 where any of that fails, or where the Runner fell back to Python; with 2 for wrong arguments.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() {
    echo "usage: scripts/run_component_smoke.sh http|ftp [--prebuilt]" >&2
    exit 2
}

[ $# -ge 1 ] && [ $# -le 2 ] || usage
readonly protocol=$1 option=${2:-}
case $protocol in http | ftp) ;; *) usage ;; esac
case $option in '' | --prebuilt) ;; *) usage ;; esac

export PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
readonly crate=$protocol-component python=.venv/bin/python
readonly prebuilt=plugins/$crate/prebuilt folder=target/smoke/$protocol
readonly name=${crate//-/_}.wasm

[ -x "$python" ] || scripts/setup_python.sh

# Prints what the component is taken from.
choose() {
    local status=0
    [ -z "$option" ] || { echo "$prebuilt/$name" && return; }
    scripts/setup_toolchain.sh >&2 || status=$?
    case $status in
    0) "$python" -m witgen.cli build "$crate" >&2 && echo "target/wasm32-wasip2/release/$name" ;;
    3) echo "smoke: there is no Rust that builds components: taking the prebuilt one" >&2 && echo "$prebuilt/$name" ;;
    *) return "$status" ;;
    esac
}

component=$(choose)
rm -rf "$folder" && mkdir -p "$folder"
cp "$component" "$folder/$name"
cp "$prebuilt/component.toml" "$folder/"
echo "smoke: $component, $(stat -c %s "$folder/$name") bytes"

"$python" -m witgen.cli verify "$folder/$name" --manifest "$folder/component.toml"
"$python" -m runner.cli inspect "$folder" --lock wit.lock >"$folder/inspect.txt"
echo "smoke: the Runner may load it; what it is granted is in $folder/inspect.txt"
exec "$python" scripts/smoke.py "$protocol" "$folder"
