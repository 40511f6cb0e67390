# Shared by the scripts beside it; sourced, not run.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# How long the first build takes; docs/decisions/0014-profiles-and-the-first-build.md has the measurement.
FIRST_BUILD="8 minutes on two cores, 4 on four"

say() { printf '\n\033[1m==> %s\033[0m\n' "$*" >&2; }
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

# install_packages WHAT:PACKAGE...: installs the Debian packages of the commands, or files, that are missing.
install_packages() {
    local missing=() pair what
    for pair in "$@"; do
        what=${pair%%:*}
        case $what in
            /*) [ -e "$what" ] || missing+=("${pair#*:}") ;;
            *) PATH=$PATH:/usr/sbin:/sbin command -v "$what" >/dev/null || missing+=("${pair#*:}") ;;
        esac
    done
    [ ${#missing[@]} -eq 0 ] && return
    say "Installing ${missing[*]}"
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
}

# install_rust [COMPONENT...]: the toolchain that rust-toolchain.toml names, with the Wasm target.
install_rust() {
    local channel component
    command -v rustup >/dev/null || { echo "rustup is missing: see https://rustup.rs" >&2; exit 4; }
    channel=$(sed -n 's/^channel = "\(.*\)"/\1/p' rust-toolchain.toml)
    rustup toolchain list | grep -q "^$channel-" || {
        say "Installing Rust $channel"
        rustup toolchain install "$channel" --profile minimal >&2
    }
    rustup target list --installed | grep -qx wasm32-wasip2 || {
        say "Adding the target wasm32-wasip2"
        rustup target add wasm32-wasip2 >&2
    }
    for component in "$@"; do
        rustup component list --installed | grep -q "^$component" || rustup component add "$component" >&2
    done
}

# install_node: puts a Node.js that can run componentize-qjs first in PATH, where this machine's is older than that.
# Debian 12 has version 18. The package of npm holds the program alone; npm itself is Debian's.
install_node() {
    local version=22.23.5 major arch dir=$PWD/target/node
    major=$(node --version | sed 's/^v\([0-9]*\).*/\1/')
    [ "$major" -lt 20 ] || return 0
    case $(uname -m) in aarch64) arch=arm64 ;; *) arch=x64 ;; esac
    local bin=$dir/node_modules/node-linux-$arch/bin
    [ -x "$bin/node" ] || {
        say "Installing Node.js $version in target/node"
        npm install --silent --no-audit --no-fund --prefix "$dir" "node-linux-$arch@$version" >&2
    }
    export PATH=$bin:$PATH
}

# build_host: builds the program `host` with optimizations, unless HOST_BIN names one; sets HOST_BIN to its path.
build_host() {
    if [ -n "${HOST_BIN:-}" ]; then
        say "Using $HOST_BIN"
        return
    fi
    HOST_BIN=$(realpath -m "${CARGO_TARGET_DIR:-target}/release/host")
    export HOST_BIN
    if [ -e "$HOST_BIN" ]; then
        say "Building host again: what did not change is kept"
    else
        say "Building host from $(cargo tree --locked -p host -e normal,build --prefix none --no-dedupe | sort -u | wc -l) crates, once: usually $FIRST_BUILD"
    fi
    cargo build --release --locked -p host >&2
}
