#!/bin/sh
# SPDX-License-Identifier: MIT
# Makes a system of unpacked essential packages and a folder of others; runs inside it, as its root.
#
# In:     /packages/essential (the names of those packages' files), /packages/debs, /packages/sources
#         (the line for apt), /packages/authorized_keys and /packages/id (the keys; see mkrootfs.sh).
# Out:    every package installed by dpkg, with its own scripts; a system that boots quickly, has the
#         password "duomo" for root, and lacks only what tools/mkrootfs.sh gives each machine.
# Always: no service is started; an error ends it.
set -e
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C DEBIAN_FRONTEND=noninteractive DEBCONF_NOWARNINGS=yes

say() { echo "mkrootfs: $* ($(cut -d . -f 1 /proc/uptime) s)"; }

# What a virtual machine can never have or nobody reads in it is not unpacked, now or by an upgrade.
mkdir -p /etc/dpkg/dpkg.cfg.d
cat > /etc/dpkg/dpkg.cfg.d/duomo <<'END'
path-exclude=/usr/share/doc/*
path-include=/usr/share/doc/*/copyright
path-exclude=/usr/share/man/*
path-exclude=/usr/share/info/*
path-exclude=/usr/share/locale/*
path-exclude=/usr/lib/linux-image-*
path-exclude=/usr/lib/udev/hwdb.d/*
path-exclude=/usr/share/zoneinfo/*/*
path-exclude=/usr/lib/modules/*/kernel/sound/*
path-exclude=/usr/lib/modules/*/kernel/net/bluetooth/*
path-exclude=/usr/lib/modules/*/kernel/net/mac80211/*
path-exclude=/usr/lib/modules/*/kernel/net/wireless/*
path-exclude=/usr/lib/modules/*/kernel/drivers/*
path-include=/usr/lib/modules/*/kernel/drivers/block/*
path-include=/usr/lib/modules/*/kernel/drivers/char/*
path-include=/usr/lib/modules/*/kernel/drivers/md/*
path-include=/usr/lib/modules/*/kernel/drivers/virtio/*
path-include=/usr/lib/modules/*/kernel/drivers/net/*.ko*
path-exclude=/usr/lib/modules/*/kernel/drivers/net/*/*
END

# The initial RAM disk: what the way to the root file system needs.  One is made, by the kernel's package.
mkdir -p /etc/initramfs-tools/conf.d
cat > /etc/initramfs-tools/conf.d/duomo <<'END'
MODULES=list
COMPRESS=gzip
END
printf '%s\n' virtio_mmio virtio_blk ext4 > /etc/initramfs-tools/modules
echo 'update_initramfs=no' > /etc/initramfs-tools/update-initramfs.conf

# One key of the SSH server: each machine gets its own; this one only keeps the package from making four.
mkdir -p /etc/ssh/sshd_config.d
echo 'HostKey /etc/ssh/ssh_host_ed25519_key' > /etc/ssh/sshd_config.d/duomo.conf

# U-Boot's menu, which u-boot-menu's hooks write anew whenever a kernel comes or goes.
mkdir -p /etc/default
cat > /etc/default/u-boot <<'END'
U_BOOT_PARAMETERS="ro quiet console=ttyS0"
U_BOOT_PROMPT="0"
U_BOOT_TIMEOUT="10"
END
echo 'LABEL=debian / ext4 errors=remount-ro 0 1' > /etc/fstab

say "installing the essential packages"
mkdir -p /var/lib/dpkg/info
[ -e /var/lib/dpkg/status ] || : > /var/lib/dpkg/status
# shellcheck disable=SC2046       # a list of words
(cd /packages/debs && dpkg --force-depends --force-confold --force-unsafe-io --install $(cat /packages/essential))

say "installing the others"
dpkg --force-depends --force-confold --force-unsafe-io --unpack --skip-same-version --recursive /packages/debs
dpkg --force-confold --force-unsafe-io --configure --pending
dpkg --audit

say "settings"
echo 'update_initramfs=yes' > /etc/initramfs-tools/update-initramfs.conf
echo 'root:duomo' | chpasswd
cp /packages/sources /etc/apt/sources.list
mkdir -p /root/.ssh
cp /packages/authorized_keys /packages/id /root/.ssh/
mv /root/.ssh/id /root/.ssh/id_ed25519
echo 'StrictHostKeyChecking accept-new' > /root/.ssh/config
chmod 700 /root/.ssh
chmod 600 /root/.ssh/*
echo 'nameserver 10.0.2.3' > /etc/resolv.conf
echo 'LANG=C.UTF-8' > /etc/default/locale

# Started by emulation, a machine is as quick as it has few things to start: no timers for what a person
# may call, no virtual terminals, nothing for hardware it lacks.
systemctl enable systemd-networkd.service
systemctl mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \
    e2scrub_reap.service fstrim.timer systemd-networkd-wait-online.service \
    systemd-pstore.service systemd-hwdb-update.service systemd-hibernate-clear.service \
    systemd-tpm2-setup-early.service systemd-tpm2-setup.service systemd-pcrmachine.service \
    modprobe@configfs.service modprobe@drm.service modprobe@efi_pstore.service modprobe@fuse.service \
    sys-kernel-config.mount sys-kernel-debug.mount sys-kernel-tracing.mount sys-fs-fuse-connections.mount \
    dev-hugepages.mount dev-mqueue.mount getty@tty1.service getty-static.service
mkdir -p /etc/systemd/system-generators
for generator in gpt-auto hibernate-resume ssh sysv tpm2; do
    ln -s /dev/null "/etc/systemd/system-generators/systemd-$generator-generator"
done
systemctl set-default multi-user.target
mkdir -p /etc/systemd/journald.conf.d /etc/systemd/logind.conf.d /etc/systemd/system.conf.d
printf '[Login]\nNAutoVTs=0\nReserveVT=0\n' > /etc/systemd/logind.conf.d/duomo.conf
printf '[Journal]\nSystemMaxUse=16M\n' > /etc/systemd/journald.conf.d/duomo.conf
# Emulated on a busy computer, what takes a second may take a minute.
printf '[Manager]\nDefaultTimeoutStartSec=15min\nDefaultDeviceTimeoutSec=15min\n' > /etc/systemd/system.conf.d/duomo.conf
sed -i 's/^LOGIN_TIMEOUT.*/LOGIN_TIMEOUT 600/' /etc/login.defs
echo 'LoginGraceTime 600' >> /etc/ssh/sshd_config.d/duomo.conf

rm -f /etc/ssh/ssh_host_* /var/lib/dpkg/*-old /var/cache/debconf/*-old /var/log/*.log /var/log/apt/*
rm -rf /var/cache/ldconfig
find /var/lib/apt/lists -type f -delete
touch /etc/.updated /var/.updated       # or the first boot would look for what an upgrade has left to do
cat /etc/fstab /boot/extlinux/extlinux.conf
df -m / | tail -n 1
