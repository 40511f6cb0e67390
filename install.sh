#!/bin/sh
# Installs a release of `host`: the program, its man pages and its shell completions. Needs no compiler.
#
#   ./install.sh                       installs the unpacked release that this script lies in
#   ./install.sh ARCHIVE               installs host-VERSION-ARCH-linux.tar.gz; ARCHIVE.sha256 must lie beside it
#   ./install.sh DIRECTORY             installs the newest archive for this machine in a directory
#   ./install.sh URL                   downloads an archive and its `.sha256` from a URL, then installs it
#
# Options:
#   --prefix DIR      installs below DIR instead of ~/.local; so does the variable PREFIX
#   --sha256 DIGEST   compares the archive with this digest and reads no `.sha256` file
#   --uninstall       removes what an installation put below the prefix
#   --help            prints this text
#
# Exits with 0 when everything is installed, 2 for a wrong command line, and 1 for every other error. An archive
# whose digest is wrong is refused before anything of it is unpacked.
set -eu

fail() { printf 'install.sh: %s\n' "$1" >&2; exit "${2:-1}"; }
usage() { sed -n '2,/^set /{/^#/s/^# \{0,1\}//p;}' "$0"; }

prefix=${PREFIX:-}
digest=
source=
uninstall=
while [ $# -gt 0 ]; do
    case $1 in
    --prefix) [ $# -ge 2 ] || fail "--prefix needs a directory" 2; prefix=$2; shift ;;
    --prefix=*) prefix=${1#--prefix=} ;;
    --sha256) [ $# -ge 2 ] || fail "--sha256 needs a digest" 2; digest=$2; shift ;;
    --sha256=*) digest=${1#--sha256=} ;;
    --uninstall) uninstall=yes ;;
    --help | -h) usage; exit 0 ;;
    -*) fail "there is no option $1; try --help" 2 ;;
    *) [ -z "$source" ] || fail "one archive at a time: $source and $1 were given" 2; source=$1 ;;
    esac
    shift
done
if [ -z "$prefix" ]; then
    [ -n "${HOME:-}" ] || fail "HOME is not set; say where to install by --prefix DIR" 2
    prefix=$HOME/.local
fi

# The list of installed files; --uninstall reads it.
list=$prefix/share/host/installed-files
if [ -n "$uninstall" ]; then
    [ -f "$list" ] || fail "nothing is installed below $prefix: $list is missing"
    while IFS= read -r file; do rm -f "$prefix/$file"; done <"$list"
    rm -f "$list"
    rmdir "$prefix/share/host" 2>/dev/null || true
    echo "Removed host from $prefix"
    exit 0
fi

[ "$(uname -s)" = Linux ] || fail "releases are for Linux, and this is $(uname -s)"
machine=$(uname -m)

scratch=$(mktemp -d "${TMPDIR:-/tmp}/host-install.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM

# download URL FILE
download() {
    if command -v curl >/dev/null 2>&1; then
        curl --fail --silent --show-error --location --output "$2" "$1"
    elif command -v wget >/dev/null 2>&1; then
        wget --quiet --output-document="$2" "$1"
    else
        fail "neither curl nor wget is installed, so $1 cannot be downloaded"
    fi || fail "cannot download $1"
}

# newest_archive DIRECTORY: prints the archive with the highest version for this machine.
newest_archive() {
    found=$(find "$1" -maxdepth 1 -name "host-*-$machine-linux.tar.gz" | sort -V | tail -n 1)
    [ -n "$found" ] || fail "there is no host-VERSION-$machine-linux.tar.gz in $1"
    printf '%s\n' "$found"
}

# verify ARCHIVE DIGEST_FILE: compares the archive with the digest of --sha256, or else of the file.
verify() {
    if [ -z "$digest" ]; then
        [ -f "$2" ] || fail "$2 is missing, so $1 cannot be verified; give the digest by --sha256"
        digest=$(cut -d ' ' -f 1 <"$2")
    fi
    actual=$(sha256sum <"$1" | cut -d ' ' -f 1)
    [ "$actual" = "$digest" ] ||
        fail "$1 is not what was released: its SHA-256 is $actual, and $digest was expected. Nothing was installed."
}

# unpack ARCHIVE: sets `tree` to the one directory that the archive holds.
unpack() {
    mkdir "$scratch/tree"
    tar -C "$scratch/tree" --no-same-owner -xzf "$1" || fail "cannot unpack $1"
    tree=$(find "$scratch/tree" -mindepth 1 -maxdepth 1 -type d)
    [ -x "$tree/bin/host" ] || fail "$1 is no release of host: it has no bin/host"
}

case $source in
'')
    tree=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
    [ -x "$tree/bin/host" ] ||
        fail "say what to install: an archive, a directory with archives, or a URL (scripts/demo builds from source)" 2
    ;;
http://* | https://* | file://*)
    download "$source" "$scratch/archive.tar.gz"
    [ -n "$digest" ] || download "$source.sha256" "$scratch/archive.tar.gz.sha256"
    verify "$scratch/archive.tar.gz" "$scratch/archive.tar.gz.sha256"
    unpack "$scratch/archive.tar.gz"
    ;;
*)
    [ -e "$source" ] || fail "$source does not exist"
    [ ! -d "$source" ] || source=$(newest_archive "$source")
    verify "$source" "$source.sha256"
    unpack "$source"
    ;;
esac

version=$("$tree/bin/host" --version) || fail "$tree/bin/host does not start on this machine ($machine)"

# Each file gets its name in one step, so that a running program is never half of a new one.
mkdir -p "$prefix/share/host"
(cd "$tree" && find bin share -type f | sort) >"$scratch/files"
while IFS= read -r file; do
    mkdir -p "$prefix/$(dirname "$file")"
    cp "$tree/$file" "$prefix/$file.new"
    mv "$prefix/$file.new" "$prefix/$file"
done <"$scratch/files"
# What an older release had and this one has not goes away.
if [ -f "$list" ]; then
    grep -vxFf "$scratch/files" "$list" | while IFS= read -r file; do rm -f "$prefix/$file"; done
fi
cp "$scratch/files" "$list"

echo "Installed $version: $prefix/bin/host"
case :$PATH: in
*":$prefix/bin:"*) ;;
*) echo "Add it to the path of your shell: export PATH=$prefix/bin:\$PATH" ;;
esac
"$prefix/bin/host" doctor >/dev/null 2>&1 || echo "Something that steps need is missing here: host doctor says what."
