# What the scripts of this repository share: messages, packages, builds. Sourced by bash, never run.
# Callers have set -euo pipefail and stand in the repository's root.

say() { printf '%s\n' "$*"; }
die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# Runs a command as root: as it is for root, through sudo for others (which must not ask: nobody may be there).
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        sudo -n "$@"
    else
        die "needs root for: $* -- run that once by hand, or run this script as root"
    fi
}

# need_packages PACKAGE...: installs the Debian packages that are missing; asks nothing, does nothing when all are there.
need_packages() {
    local missing=() package
    for package in "$@"; do
        dpkg-query -W -f='${Status}\n' "$package" 2>/dev/null | grep -q '^install ok installed$' || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    command -v apt-get >/dev/null || die "missing: ${missing[*]}; no apt-get here, install them by this system's own means"
    say "installing ${missing[*]}"
    local log
    log=$(mktemp)
    if ! as_root apt-get -o DPkg::Lock::Timeout=120 update -qq >"$log" 2>&1 ||
        ! as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 \
            install -y -qq --no-install-recommends "${missing[@]}" >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        rm -f "$log"
        die "apt-get could not install ${missing[*]} (its last lines stand above): is there a network?"
    fi
    rm -f "$log"
}

# explain_missing_libraries PROGRAM: a line for each shared library that a program needs and this machine lacks, with what to do.
explain_missing_libraries() {
    local library
    while read -r library; do
        case "$library" in
            libleveldb.*) say "${1##*/} needs $library, which this machine lacks: apt-get install libleveldb1d" ;;
            *) say "${1##*/} needs $library, which this machine lacks: install Swift 6.3, whose libraries it uses" ;;
        esac
    done < <(ldd "$1" 2>/dev/null | awk '/=> not found/ { print $1 }')
}

need_swift() {
    command -v swift >/dev/null || die "no swift on PATH: install the Swift 6.3 toolchain first"
}

# The release programs. The flag lets the compiler specialise the cores' public generics inside the runtime.
release_programs=(metasrv datasrv shardctl shardsim)

# Whether every program is there and newer than all that it is built from.
release_is_current() {
    local program
    for program in "${release_programs[@]}"; do
        [ -x ".build/release/$program" ] || return 1
        [ -z "$(find Sources Package.swift -newer ".build/release/$program" -type f -print -quit)" ] || return 1
    done
}

# Builds release when the programs are not current. Prints the build's output only when it fails.
build_release() {
    release_is_current && return 0
    need_swift
    need_packages libleveldb-dev
    say "building release (the first time takes some minutes)"
    local log program
    log=$(mktemp)
    if ! swift build -c release -Xswiftc -cross-module-optimization >"$log" 2>&1; then
        tail -n 60 "$log" >&2
        rm -f "$log"
        die "the release build failed (its last lines stand above)"
    fi
    # An up-to-date link leaves an old date: say that the programs are as new as the sources they were judged by.
    for program in "${release_programs[@]}"; do touch ".build/release/$program"; done
    rm -f "$log"
}
