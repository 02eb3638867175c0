#!/usr/bin/env bash
# Finds, or installs, a Rust that builds components for wasm32-wasip2.
#
# In this order: a rustup that has the target or can add it; Debian's packages, installed where we are root. Else it
# prints the commands to run and ends with 3. It never calls sudo. What it decides, `witgen build` finds again by itself.
set -euo pipefail

export PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
target=wasm32-wasip2

say() { printf 'toolchain: %s\n' "$*"; }

# Prints the linker that makes components, if one is on this machine.
find_linker() {
    command -v wasm-component-ld && return
    local candidate
    for candidate in "${RUSTUP_HOME:-$HOME/.rustup}"/toolchains/*/lib/rustlib/*/bin/wasm-component-ld \
        /usr/lib/rustlib/*/bin/wasm-component-ld; do
        [ -x "$candidate" ] && printf '%s\n' "$candidate" && return
    done
    return 1
}

with_rustup() {
    command -v rustup >/dev/null && command -v cargo >/dev/null || return 1
    local sysroot
    sysroot=$(rustc --print sysroot 2>/dev/null) || return 1
    if [ -d "$sysroot/lib/rustlib/$target/lib" ]; then
        say "rustup has the target $target"
        return 0
    fi
    say "adding the target $target with rustup"
    rustup target add "$target"
}

with_debian() {
    if [ -x /usr/bin/cargo ] && compgen -G '/usr/src/rustc-*/library/core' >/dev/null && find_linker >/dev/null; then
        say "Debian's compiler and the sources of its library are here, and a linker for components"
        return 0
    fi
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
    if ! [ -x /usr/bin/cargo ] || ! compgen -G '/usr/src/rustc-*/library/core' >/dev/null; then
        say "installing Debian's compiler: rustc-web cargo-web rust-web-src"
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
            rustc-web cargo-web rust-web-src >/dev/null || return 1
    fi
    if ! find_linker >/dev/null; then
        say "installing wasm-ld (Debian's lld) and the linker for components (wasm-component-ld)"
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends lld gcc libc6-dev >/dev/null &&
            /usr/bin/cargo install wasm-component-ld --locked --quiet || return 1
    fi
    find_linker >/dev/null
}

if with_rustup || with_debian; then
    exit 0
fi
cat <<'END'
toolchain: no Rust that builds components was found or could be installed. Run one of these, then try again:
    rustup target add wasm32-wasip2
    apt-get install rustc-web cargo-web rust-web-src lld && cargo install wasm-component-ld --locked
END
exit 3
