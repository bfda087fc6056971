#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs the Debian packages that the project needs and this machine lacks.
#
# In:     what for: build, run (and build), debian (and run), test (and debian), bench (and run).
# Out:    nothing, if nothing is missing; else one line that names it, and then it is installed.
# Always: asks nothing and needs no terminal; uses sudo only where it is not root.
#         Knows Debian 12, Debian 13 and Ubuntu 24.04, whose package names differ a little:
#         where they do, the file that is wanted decides, not the name.
set -eu

# The monitor (the bare-metal linker cannot link a position-independent program; the other can).
build="gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf binutils-riscv64-linux-gnu"
# The command on the user's computer.
build="$build gcc libc6-dev make git libfdt-dev libyaml-dev"
# What tools/fetch.sh works with; debootstrap knows a mirror where the system's own is not Debian's.
build="$build ca-certificates debian-archive-keyring debootstrap xz-utils gzip"

# A guest's initial file system.  QEMU and its firmware: see below.
run="cpio"

# Disks of whole systems, and the way into them (tools/mkrootfs.sh).
debian="e2fsprogs fdisk openssh-client"

# Unit tests, fuzzers and checks of the source.
test="e2fsprogs fdisk gdisk libcmocka-dev clang clang-format cppcheck universal-ctags device-tree-compiler"
# System tests, run by /usr/bin/python3: another python3 in the path has no such modules.
test="$test python3-pytest python3-pexpect"

# The benchmarks' programs are compiled for Linux.
bench="gcc-riscv64-linux-gnu libc6-dev-riscv64-cross"

say() { echo "deps: $*" >&2; }
die() { say "$*"; exit 1; }

# is_there FILE...: the first (of what a pattern found) exists and is no link to nowhere.
is_there() { [ -e "$1" ]; }

# Has this release a package of that name?
has_package() { apt-cache show --no-all-versions "$1" >/dev/null 2>&1; }

# Names for what has no one name, once apt knows this release's packages.
resolve() {
    case $1 in
    qemu-system-riscv64)
        if has_package qemu-system-riscv; then echo qemu-system-riscv; else echo qemu-system-misc; fi ;;
    compiler-runtime)
        apt-cache depends clang | sed -n 's/.*Depends: clang-\([0-9]*\)$/libclang-rt-\1-dev/p' | head -n 1 ;;
    *)
        echo "$1" ;;
    esac
}

qemu_missing() {
    is_there /usr/bin/qemu-system-riscv64 || echo qemu-system-riscv64
    is_there /usr/share/qemu/opensbi-riscv64-generic-fw_dynamic.bin ||
        is_there /usr/lib/riscv64-linux-gnu/opensbi/generic/fw_dynamic.bin || echo opensbi
}

# The runtimes of libFuzzer and the sanitizers; and CBMC, from Debian 13 on (elsewhere: tools/fetch.sh cbmc).
test_missing() {
    is_there /usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer-*.a || echo compiler-runtime
    # shellcheck source=/dev/null
    . /etc/os-release
    [ "$ID" != debian ] || [ "${VERSION_ID:-13}" -lt 13 ] || is_there /usr/bin/cbmc || echo cbmc
}

# missing_of PACKAGE...: those that are not installed.
missing_of() {
    installed=$(dpkg-query -W -f '${db:Status-Status}:${Package}\n' "$@" 2>/dev/null || true)
    for package; do
        case "
$installed
" in
        *"
installed:$package
"*) ;;
        *) echo "$package" ;;
        esac
    done
}

case ${1:-} in
build) packages=$build              others="" ;;
run)   packages="$build $run"       others="qemu_missing" ;;
debian) packages="$build $run $debian" others="qemu_missing" ;;
test)  packages="$build $run $debian $test" others="qemu_missing test_missing" ;;
bench) packages="$build $run $bench" others="qemu_missing" ;;
*)     echo "usage: tools/deps.sh build|run|debian|test|bench" >&2; exit 2 ;;
esac

[ -x /usr/bin/dpkg-query ] ||
    die "this is not Debian or Ubuntu; remedy: install by hand what stands for: $packages"

# shellcheck disable=SC2086      # lists of words
look() { missing=$({ missing_of $packages; for other in $others; do $other; done; } | xargs); }
look
[ -n "$missing" ] || exit 0

# One at a time: a make with several jobs starts several of this, and apt waits for no other's lists.  What
# is missing may be there when the other is done.
exec 9< /var/lib/dpkg
flock 9
look
[ -n "$missing" ] || exit 0
say "installing $missing ..."

as_root=
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null ||
        die "needs root and there is no sudo; remedy: as root, run tools/deps.sh $1"
    sudo -n true 2>/dev/null || [ -t 0 ] ||
        die "sudo would ask for a password; remedy: in a terminal, run tools/deps.sh $1"
    as_root="sudo"
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() {
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=600 \
        -o Acquire::Retries=3 "$@" </dev/null >"$log" 2>&1
}
why() { grep -m 1 '^E:' "$log" || tail -n 1 "$log"; }

# Lists that could not all be refreshed may still do.
apt update || say "the package lists are not all up to date ($(why))"
names=$(for package in $missing; do resolve "$package"; done | xargs)
# shellcheck disable=SC2086
apt install --no-install-recommends $names ||
    die "cannot install $names ($(why)); remedy: check the network and /etc/apt, then tools/deps.sh $1"
