#!/bin/sh
# SPDX-License-Identifier: MIT
# Makes the disk of a Debian 13 machine (riscv64): a whole system on an ext4 file system, the one partition
# of a disk with an MBR, for U-Boot looks for a system on partitions only.
#
# In:     OUT.img, the file to write; --name NAME (debian1), which is host name and label; --address
#         A.B.C.D in QEMU's user network 10.0.2.0/24 (10.0.2.11 for debian1, .12 for debian2 and so on);
#         --size SIZE, with M or G (1G).  Debian's packages, as tools/fetch.sh brought them.
# Out:    OUT.img; beside it OUT.vmlinux and OUT.initrd, the kernel and initial RAM disk that are on it,
#         and OUT.known_hosts, by which ssh knows the machine as NAME.
#         In the cache rootfs/*/base.img, the system that all machines have in common, and debian-keys/:
#         "user" logs in to each machine as root, and so does "vms", which the machines themselves have.
# Always: the file system begins at 1 MiB, so e2fsck -fn "OUT.img?offset=1048576" looks at it.
#         Needs no privileges.  The packages' own scripts run in QEMU, on the bare machine, once: minutes,
#         for later images are copies that differ in name, address and keys: seconds.
set -eu
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"

tools=$(dirname "$0")
cache=${DUOMO_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/duomo}
keys=$cache/debian-keys
base_mib=768
work=

say()   { echo "mkrootfs: $*" >&2; }
die()   { say "$*"; exit 1; }
usage() { echo "usage: tools/mkrootfs.sh OUT.img [--name NAME] [--address ADDRESS] [--size SIZE]" >&2; exit 2; }

# --- the system that all have in common ------------------------------------------------------------

# What it depends on; the name of its folder.
base_id() {
    { ls "$cache/debian"; cat "$tools"/rootfs/* "$keys"/*.pub; } | cksum | tr ' ' -
}

# The machine that makes the system: a kernel and an initial RAM disk.
prepare_machine() {
    mkdir "$work/initrd"
    cp "$tools/rootfs/init.sh" "$work/initrd/init"
    chmod 755 "$work/initrd/init"
    "$tools/mkinitrd.sh" "$work/initrd.gz" "$work/initrd"
}

# Its disk: the packages, with nothing left to decompress, which this computer does many times faster.
prepare_packages() {
    disk=$work/packages
    mkdir -p "$disk/debs" "$work/members"
    for deb in "$cache"/debian/*.deb; do
        (
            cd "$work/members"
            ar x "$deb"
            for member in *.xz; do
                [ ! -e "$member" ] || xz -d "$member"
            done
            ar qcS "$disk/debs/${deb##*/}" debian-binary control.tar* data.tar*
            rm -f ./*
        )
    done
    : > "$disk/essential.tar"
    while read -r deb; do
        dpkg-deb --fsys-tarfile "$disk/debs/$deb" > "$work/data.tar"
        tar -Af "$disk/essential.tar" "$work/data.tar"
    done < "$cache/debian/essential"
    cp "$tools/rootfs/configure.sh" "$cache/debian/essential" "$cache/debian/sources" "$disk/"
    cat "$keys/user.pub" "$keys/vms.pub" > "$disk/authorized_keys"
    cp "$keys/vms" "$disk/id"
    file_system "$work/packages.img" packages "$(($(du -sm "$disk" | cut -f 1) + 64))" -d "$disk"
}

# file_system FILE LABEL MIB [OPTION]...: a new one that every U-Boot and every e2fsck since 2023 reads.
# It has no journal yet: dpkg is quicker without, for it waits for the disk after each step.
file_system() {
    fs=$1
    rm -f "$fs"
    truncate -s "$3M" "$fs"
    fs_label=$2
    shift 3
    mke2fs -q -t ext4 -O ^has_journal,^metadata_csum_seed,^orphan_file -m 1 -L "$fs_label" "$@" "$fs"
}

disk_option() {
    echo "-drive if=none,id=$1,file=$work/$1.img,format=raw,cache=unsafe -device virtio-blk-device,drive=$1,serial=$1"
}

# Shows how far the machine is: it unpacks each package and sets it up, the essential ones first.
progress() {
    awk -v total="$(($(find "$cache/debian" -name '*.deb' | wc -l) * 2))" -v out="$work/log" '
        { print > out; fflush(out) }
        /^(Unpacking|Setting up) / && ++n % 25 == 0 {
            printf "mkrootfs: %d %% of the packages unpacked and set up\n", n < total ? n * 100 / total : 99 }
        { fflush() }' >&2
}

make_base() {
    say "making a Debian system of its packages, once; that takes some minutes ..."
    prepare_machine
    prepare_packages
    file_system "$work/target.img" debian "$base_mib"
    # shellcheck disable=SC2046       # lists of words
    qemu-system-riscv64 -M virt -smp 2 -m 1G -nographic -no-reboot \
        -kernel "$cache/kernel/Image" -initrd "$work/initrd.gz" -append "console=ttyS0 quiet" \
        $(disk_option packages) $(disk_option target) </dev/null 2>&1 | tr -d '\r' | progress
    cp "$work/log" "$cache/rootfs/log"
    grep -q '^mkrootfs: done$' "$work/log" || die "the packages could not be set up; see $cache/rootfs/log"

    e2fsck -fp "$work/target.img" >/dev/null || [ $? = 1 ] || die "the new file system has errors"
    tune2fs -O has_journal "$work/target.img" >/dev/null
    mkdir "$work/base"
    version=$(debugfs -R 'ls -p /boot' "$work/target.img" 2>/dev/null | sed -n 's|.*/vmlinux-\([^/]*\)/.*|\1|p')
    debugfs -R "dump /boot/vmlinux-$version $work/base/vmlinux" "$work/target.img" 2>/dev/null
    debugfs -R "dump /boot/initrd.img-$version $work/base/initrd" "$work/target.img" 2>/dev/null
    cp --sparse=always "$work/target.img" "$work/base/base.img"
}

# --- one machine --------------------------------------------------------------------------------------

# put FILE MODE: $work/own/FILE becomes the image's /FILE.
put() {
    echo "rm /$1"
    echo "write $work/own/$1 /$1"
    echo "sif /$1 mode 0100$2"
    echo "sif /$1 uid 0"
    echo "sif /$1 gid 0"
}

# What distinguishes a machine from the others.
own_files() {
    own=$work/own
    mkdir -p "$own/etc/ssh" "$own/etc/systemd/network" "$own/boot/extlinux"
    echo "$name" > "$own/etc/hostname"
    {
        echo "127.0.0.1 localhost"
        echo "::1 localhost ip6-localhost ip6-loopback"
        for n in 1 2 3 4 5 6 7 8 9; do
            [ "debian$n" = "$name" ] || echo "10.0.2.$((10 + n)) debian$n"
        done
        echo "$address $name"
    } > "$own/etc/hosts"
    od -An -N16 -tx1 /dev/urandom | tr -d ' \n' > "$own/etc/machine-id"
    echo >> "$own/etc/machine-id"
    printf '[Match]\nType=ether\n\n[Network]\nAddress=%s/24\nGateway=10.0.2.2\nDNS=10.0.2.3\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n' \
        "$address" > "$own/etc/systemd/network/10-ether.network"
    echo "LABEL=$name / ext4 errors=remount-ro 0 1" > "$own/etc/fstab"
    debugfs -R 'cat /boot/extlinux/extlinux.conf' "$1" 2>/dev/null |
        sed "s/LABEL=debian /LABEL=$name /" > "$own/boot/extlinux/extlinux.conf"
    ssh-keygen -q -t ed25519 -N '' -C "root@$name" -f "$own/etc/ssh/ssh_host_ed25519_key"
}

make_image() {
    base=$cache/rootfs/$id
    cp --sparse=always "$base/base.img" "$work/new.img"
    truncate -s "$((mib - 1))M" "$work/new.img"
    own_files "$work/new.img"
    {
        for file in etc/hostname etc/hosts etc/machine-id etc/fstab etc/systemd/network/10-ether.network \
            boot/extlinux/extlinux.conf etc/ssh/ssh_host_ed25519_key.pub; do put $file 644; done
        put etc/ssh/ssh_host_ed25519_key 600
    } > "$work/commands"
    debugfs -w -f "$work/commands" "$work/new.img" > "$work/log" 2>&1
    e2fsck -fp "$work/new.img" >/dev/null || [ $? = 1 ] || die "the file system has errors"
    resize2fs "$work/new.img" >/dev/null 2>&1 || die "$size is not enough for the system"
    tune2fs -L "$name" -U random "$work/new.img" >/dev/null
    e2fsck -fn "$work/new.img" >"$work/log" 2>&1 || die "the file system has errors"

    cp "$base/vmlinux" "$out.vmlinux"
    cp "$base/initrd" "$out.initrd"
    echo "$name $(cat "$work/own/etc/ssh/ssh_host_ed25519_key.pub")" > "$out.known_hosts"
    truncate -s "${mib}M" "$work/disk.img"
    echo "2048,,L,*" | sfdisk -q -X dos "$work/disk.img"
    dd if="$work/new.img" of="$work/disk.img" bs=1M seek=1 conv=notrunc,sparse status=none
    cp --sparse=always "$work/disk.img" "$out.tmp"
    mv "$out.tmp" "$out.img"
}

# --- the command line ----------------------------------------------------------------------------------

out=
name=debian1
address=
size=1G
while [ $# -gt 0 ]; do
    case $1 in
    --name|--address|--size)
        [ $# -ge 2 ] || usage
        eval "${1#--}=\$2"
        shift ;;
    -*) usage ;;
    *)  [ -z "$out" ] || usage
        out=${1%.img} ;;
    esac
    shift
done
[ -n "$out" ] || usage
echo "$name" | grep -Eqx '[a-z][a-z0-9-]{0,14}' || die "$name is no name: letters a to z, digits and -, at most 15"
if [ -z "$address" ]; then
    echo "$name" | grep -Eqx 'debian[1-9]' || die "$name needs an --address, such as 10.0.2.31"
    address=10.0.2.$((10 + ${name#debian}))
fi
echo "$address" | grep -Eqx '([0-9]{1,3}\.){3}[0-9]{1,3}' || die "$address is no address"
case $size in
*[0-9]G) mib=$((${size%G} * 1024)) ;;
*[0-9]M) mib=${size%M} ;;
*)       die "$size is no size such as 1G or 1536M" ;;
esac
[ "$mib" -gt $base_mib ] || die "$size is too small; at least $((base_mib + 1))M"
for tool in mke2fs debugfs resize2fs tune2fs sfdisk qemu-system-riscv64 ssh-keygen xz ar; do
    command -v $tool >/dev/null || die "no $tool here; remedy: tools/deps.sh debian"
done

"$tools/fetch.sh" kernel busybox debian
mkdir -p "$keys" "$cache/rootfs"
exec 9> "$cache/rootfs/lock"
flock 9
work=$(mktemp -d "$cache/rootfs/tmp.XXXXXX")
trap '[ -z "$work" ] || rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

for key in user vms; do
    [ -e "$keys/$key.pub" ] || ssh-keygen -q -t ed25519 -N '' -C "duomo-$key" -f "$keys/$key"
done
id=$(base_id)
if [ ! -d "$cache/rootfs/$id" ]; then
    make_base
    find "$cache/rootfs" -mindepth 1 -maxdepth 1 -type d ! -path "$work" -exec rm -rf {} +
    mv "$work/base" "$cache/rootfs/$id"
fi
make_image
say "$out.img: Debian, name $name, address $address"
