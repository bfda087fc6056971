#!/bin/sh
# SPDX-License-Identifier: MIT
# Starts several virtual machines on QEMU's `virt` board without the hypervisor extension, with Duomo
# as its firmware: Debian's Linux twice, U-Boot, and figura (guests/figura).
#
# In:     the directory of what was built (`make run` gives it), a terminal or none; MEMORY, that of
#         each Debian (256M); HARTS, those of the board (2, where the monitor starts several Debians).
# Out:    DIR/run.yaml, which says what the machines are like, and these machines: a shell in the
#         first; without a terminal a few commands in each, and the end.
# Always: what cannot be had from Debian is left out, and one line says so.  QEMU's exit code: 0 after
#         the last machine was powered off.
set -eu

build=$1
tools=$(dirname "$0")
memory=${MEMORY:-256M}
cache=${DUOMO_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/duomo}
config=$build/run.yaml

say() { echo "run: $*"; }

# vm NAME KERNEL COMMANDLINE [FIELD]...: a machine of the configuration.
vm() {
    printf '  - name: %s\n    kernel: "%s"\n    cmdline: %s\n' "$1" "$(readlink -f "$2")" "'$3'"
    shift 3
    for field; do printf '    %s\n' "$field"; done
}

# debian NAME COMMAND: a shell, or without a terminal the command.
debian() {
    if [ -t 0 ]; then more="TERM=${TERM:-vt100}"; else more="TERM=dumb duomo.run=\"$2\""; fi
    vm "$1" "$cache/kernel/Image" "console=ttyS0 quiet $more" \
        "initrd: \"$(readlink -f "$build/initrd.gz")\"" "memory: $memory"
}

# figura NAME: its shell, or without a terminal some commands; and a small disk.  Under the
# textbook's engine, where each step that docs/five-steps.md tells of traps.
figura() {
    if [ -t 0 ]; then more=; else more=" run=hello;ps;disk read 0;off"; fi
    vm "$1" "$build/figura.elf" "name=$1$more" "memory: 16M" "disk: $1" "engine: classic"
}

# The disk that the figuras share: a partition for each, and a word in its first block.
disk_make() {
    printf 'hello from the disk\n' > "$build/run.part"
    "$build/duomo" disk create "$build/run.img" --force --partition "figura:1M:$build/run.part" \
        --partition "figura2:1M:$build/run.part"
}

has() { case " $parts " in *" $1 "*) ;; *) return 1 ;; esac; }

# What there is, and what Debian has.
parts=
"$tools/fetch.sh" kernel busybox || say "without Debian's kernel and busybox;" \
    "where its archive can be reached, tools/fetch.sh kernel busybox brings them"
if [ -e "$cache/kernel/Image" ] && [ -e "$cache/busybox/busybox" ]; then
    [ -n "$(find "$build/initrd.gz" -newer "$cache/busybox/busybox" -newer "$tools/mkinitrd.sh" 2>/dev/null)" ] ||
        "$tools/mkinitrd.sh" "$build/initrd.gz"
    parts="debian"
fi
if has debian; then
    parts="$parts second"
    # U-Boot waits for keys and never powers off, so it is for those who have some.
    [ ! -t 0 ] || ! "$tools/fetch.sh" u-boot || parts="$parts u-boot"
fi
[ ! -e "$build/figura.elf" ] || parts="$parts figura"
[ "$parts" != " figura" ] || parts="$parts figura2"
[ -n "$parts" ] || { say "nothing to start"; exit 1; }

disk_make
{
    echo "# Made by tools/run.sh; 'duomo help config' explains it."
    printf 'machine:\n  disk: "%s"\n' "$(readlink -f "$build")/run.img"
    ! has second || printf '  harts: %s\n' "${HARTS:-2}"
    echo "vms:"
    if has debian; then
        debian debian1 "uname -a; cat /proc/cpuinfo; free; dmesg | tail -n 3"
    fi
    ! has second || debian debian2 "uname -a; free"
    ! has u-boot || vm u-boot "$cache/u-boot/u-boot.bin" "" "memory: 64M"
    ! has figura || figura figura
    ! has figura2 || figura figura2
} > "$config"

if [ -t 0 ]; then
    say "virtual machines as $config says; 'exit' powers one off"
else
    say "no terminal: some commands in each machine, then power-off"
fi
exec "$build/duomo" run "$config"
