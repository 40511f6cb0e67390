# Shared by the scripts beside it; sourced, not run.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

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

# build_host: builds the command line in release form; its path is in $HOST_BIN.
build_host() {
    say "Building host (some minutes the first time)"
    cargo build --release --locked -p host >&2
    HOST_BIN=${CARGO_TARGET_DIR:-target}/release/host
    HOST_BIN=$(realpath "$HOST_BIN")
    export HOST_BIN
}
