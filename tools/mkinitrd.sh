#!/bin/sh
# SPDX-License-Identifier: MIT
# Makes the initial file system of a small Linux guest: busybox and a script.
#
# In:     OUT, the file to write; EXTRA, a folder to lay over the root (optional); busybox and the
#         kernel's modules as tools/fetch.sh brought them.
# Out:    OUT, a gzip'd cpio archive.  Booted, it prints "duomo: shell ready" and gives a shell
#         (at the virtio console, if there is one), which ends in power-off.  These words on the
#         kernel's command line change that:
#             duomo.run="COMMAND"   runs COMMAND instead of the shell, prints "duomo: exit STATUS"
#             TERM=dumb             nobody is at the console who could tell its size
# Always: the same input makes the same bytes, whoever runs this and whenever.
set -eu

die() { echo "mkinitrd: $*" >&2; exit 1; }

[ $# -eq 1 ] || [ $# -eq 2 ] || { echo "usage: tools/mkinitrd.sh OUT [EXTRA]" >&2; exit 2; }
out=$1
extra=${2:-}
cache=${DUOMO_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/duomo}
busybox=$cache/busybox/busybox
modules=$cache/kernel/modules

[ -r "$modules/modules.dep" ] || die "no $modules/modules.dep; remedy: tools/fetch.sh kernel"
[ -r "$busybox" ] || die "no $busybox; remedy: tools/fetch.sh busybox"
[ -z "$extra" ] || [ -d "$extra" ] || die "$extra is no folder"
command -v cpio >/dev/null || die "no cpio here; remedy: tools/deps.sh run"

# The names that this busybox answers to.  They stand in it one after the other, "[" and "[[" first.
applets() {
    LC_ALL=C tr '\0' '\n' < "$busybox" |
        LC_ALL=C awk 'on && $0 == "" { exit } last ~ /\[$/ && $0 == "[[" { on = 1 } on { print } { last = $0 }'
}

umask 022
root=$(mktemp -d)
trap 'rm -rf "$root" "$out.tmp"' EXIT
trap 'exit 1' HUP INT TERM
chmod 755 "$root"

(
    cd "$root"
    mkdir -p bin dev etc mnt proc root run sys tmp usr
    ln -s bin sbin
    ln -s ../bin usr/bin
    ln -s ../bin usr/sbin
    cp "$busybox" bin/busybox
    chmod 755 bin/busybox
    ln -s busybox 'bin/['
    for name in $(applets); do
        [ "$name" = busybox ] || ln -s busybox "bin/$name"
    done
    [ -e bin/sh ] || die "found no list of applets in $busybox; remedy: tools/fetch.sh from a newer Duomo"
    mkdir -p lib/modules
    cp -R "$modules" "lib/modules/$(cat "$modules/../version")"
    echo 'root:x:0:0:root:/root:/bin/sh' > etc/passwd
    echo 'root:x:0:' > etc/group

    cat > etc/profile <<'END'
export PATH=/bin HOME=/root
PS1='\u@\h:\w\$ '
alias ll='ls -l'

# A serial line does not say how large the terminal behind it is, but the terminal does, if asked
# where the cursor went that was sent far away.
if [ "$TERM" != dumb ] && [ -z "$(stty size 2> /dev/null)" ]; then
    stty -echo -icanon
    printf '\0337\033[999;999H\033[6n\0338'
    if IFS='[;' read -r -n 16 -t 1 -d R _ rows columns; then
        stty rows "$rows" columns "$columns"
    fi
    stty echo icanon
    unset _ rows columns
fi
END

    cat > init <<'END'
#!/bin/sh
export PATH=/bin HOME=/root
[ "$TERM" != linux ] || export TERM=xterm           # linux is what the kernel says when nobody did

mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys

# Drivers of what is there: virtio's numbers of devices (Virtio 1.2, 5).
if [ -n "$(find /proc/device-tree/ -name 'virtio_mmio@*' | head -n 1)" ]; then
    modprobe virtio_mmio
    for device in /sys/bus/virtio/devices/*/device; do
        case $(cat "$device" 2> /dev/null) in
        0x0001) modprobe virtio_net ;;
        0x0002) modprobe virtio_blk ;;
        0x0004) modprobe virtio-rng ;;
        esac
    done
fi

# The keyboard is the virtio console's if there is one, so the shell is there, too.
terminal=/dev/console session='setsid cttyhack'
if [ -c /dev/hvc0 ]; then terminal=/dev/hvc0 session='setsid -c'; fi
exec < $terminal > $terminal 2>&1

mount -t tmpfs tmp /tmp
mkdir -p /dev/pts
mount -t devpts pts /dev/pts
hostname duomo
cd /root

command=$(sed -n -e 's/.*duomo\.run="\([^"]*\)".*/\1/p;t' -e 's/.*duomo\.run=\([^ ]*\).*/\1/p' /proc/cmdline)
echo "duomo: shell ready"
if [ -n "$command" ]; then
    sh -c "$command"
    echo "duomo: exit $?"
else
    $session sh -l
fi
poweroff -f
END
    chmod 755 init
)
[ -z "$extra" ] || cp -a "$extra/." "$root/"

find "$root" -exec touch -h -d @0 {} +
(cd "$root" && find . | LC_ALL=C sort | cpio --quiet --reproducible --owner 0:0 -o -H newc) |
    gzip -n -9 > "$out.tmp"
mv "$out.tmp" "$out"
