#!/bin/sh
# SPDX-License-Identifier: MIT
# The first process of the machine that makes a Debian: fills the empty file system and configures it.
#
# In:     the initial file system of tools/mkinitrd.sh; two disks, told apart by their serial numbers:
#         "packages" (an ext4 file system with essential.tar, debs/ and configure.sh) and "target" (an
#         empty one).
# Out:    the target's system; the line "mkrootfs: done", or nothing that looks like it.
# Always: the machine powers off, whatever happens.
export PATH=/bin HOME=/root

mount -t devtmpfs dev /dev
exec < /dev/console > /dev/console 2>&1
mount -t proc proc /proc
mount -t sysfs sys /sys

# disk SERIAL: its device, or nothing.
disk() {
    for block in /sys/block/vd*; do
        [ "$(cat "$block/serial")" != "$1" ] || echo "/dev/${block##*/}"
    done
}

make_system() {
    set -e
    for module in virtio_mmio virtio_blk crc32c_generic ext4; do modprobe $module; done
    mkdir -p /packages /target
    mount -t ext4 -o ro "$(disk packages)" /packages
    mount -t ext4 -o noatime,nobarrier "$(disk target)" /target
    echo "mkrootfs: unpacking the essential packages"
    tar -C /target -xf /packages/essential.tar

    mkdir -p /target/packages
    mount -o bind /packages /target/packages
    mount -o bind /dev /target/dev
    mount -t proc proc /target/proc
    mount -t sysfs sys /target/sys
    chroot /target /bin/sh -e /packages/configure.sh
    umount /target/sys /target/proc /target/dev /target/packages
    rmdir /target/packages
    umount /target
}

if (make_system); then echo "mkrootfs: done"; fi
poweroff -f
