#!/bin/sh
# SPDX-License-Identifier: MIT
# Starts two whole Debians, each on its partition of one disk, in one network, on QEMU's `virt` board
# with Duomo as its firmware.
#
# In:     the directory of what was built (`make run-debian` gives it); MEMORY, that of each machine
#         (512M); HARTS, those of the board (2); SSH_PORT, the first of two ports of this computer (2201).
# Out:    DIR/debian.img, made once, and after that what the machines have made of it; DIR/debian.yaml,
#         which says what they are like; and these machines, until both are off.
# Always: debian1 is started with the kernel beside the disk, debian2 by U-Boot with the one on its own
#         partition.  QEMU's exit code: 0 after the last machine was powered off.
set -eu

build=$1
tools=$(dirname "$0")
memory=${MEMORY:-512M}
port=${SSH_PORT:-2201}
cache=${DUOMO_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/duomo}
disk=$build/debian.img
config=$build/debian.yaml

say() { echo "run-debian: $*"; }

# Both systems on one disk.  Their own images are then copies, and go.
make_disk() {
    say "making the disk of two Debian machines; the first time takes minutes, later ones seconds"
    for name in debian1 debian2; do
        "$tools/mkrootfs.sh" "$build/$name.img" --name $name
    done
    cat "$build/debian1.known_hosts" "$build/debian2.known_hosts" > "$build/debian.known_hosts"
    "$build/duomo" disk create "$disk.tmp" --force \
        --partition "debian1::$build/debian1.img" --partition "debian2::$build/debian2.img"
    mv "$disk.tmp" "$disk"
    rm -f "$build/debian1.img" "$build/debian2.img"
}

# vm NAME KERNEL [FIELD]...: a machine of the configuration.
vm() {
    printf '  - name: %s\n    kernel: "%s"\n    memory: %s\n    disk: %s\n    network: yes\n' \
        "$1" "$(readlink -f "$2")" "$memory" "$1"
    shift 2
    for field; do printf '    %s\n' "$field"; done
}

"$tools/fetch.sh" u-boot
[ -e "$disk" ] || make_disk
{
    echo "# Made by tools/run-debian.sh; 'duomo help config' explains it."
    printf 'machine:\n  harts: %s\n  disk: "%s"\n  network: yes\n' "${HARTS:-2}" "$(readlink -f "$disk")"
    echo "  forward: [$port:10.0.2.11:22, $((port + 1)):10.0.2.12:22]"
    echo "vms:"
    vm debian1 "$build/debian1.vmlinux" "initrd: \"$(readlink -f "$build/debian1.initrd")\"" \
        "cmdline: root=LABEL=debian1 ro quiet console=ttyS0"
    vm debian2 "$cache/u-boot/u-boot.bin"
} > "$config"

say "debian1 and debian2 as $config says, both on $disk; root's password is duomo"
for n in 1 2; do
    say "ssh -i $cache/debian-keys/user -o UserKnownHostsFile=$build/debian.known_hosts" \
        "-o HostKeyAlias=debian$n -p $((port + n - 1)) root@127.0.0.1"
done
say "between them: ssh debian2; 'poweroff' in each ends it, and the last one ends QEMU"
exec "$build/duomo" run "$config"
