#!/bin/sh
# SPDX-License-Identifier: MIT
# Brings what the project uses but does not contain, from Debian's archive.
#
# In:     names: kernel, busybox, u-boot (for the guests: riscv64), debian (the packages of a whole
#         system, for tools/mkrootfs.sh), libfdt (source, for the monitor), cbmc (for the proofs).
#         DUOMO_MIRROR, if set, is the Debian mirror to ask.
# Out:    under ${DUOMO_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/duomo}:
#             kernel/Image (and kernel/version, and kernel/modules/: those that a small guest may
#             need, with modules.dep), busybox/busybox, u-boot/u-boot.bin,
#             debian/*.deb (and debian/essential, debian/sources), libfdt/*.[ch], cbmc/bin/cbmc
# Always: signatures are checked; the system's own package lists are neither used nor changed;
#         what is there already costs no network; a folder is there whole or not at all.
# shellcheck disable=SC2016       # apt expands $(REPO_URI), not the shell
set -eu

suite=trixie
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
cache=${DUOMO_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/duomo}

say()   { echo "fetch: $*" >&2; }
die()   { say "$*"; exit 1; }
usage() { echo "usage: tools/fetch.sh kernel|busybox|u-boot|debian|libfdt|cbmc..." >&2; exit 2; }

# What tools/rootfs/packages names.  When that changes, what is in the cache is no longer all.
debian_packages() { sed '/^#/d' "$(dirname "$0")/rootfs/packages"; }

# The file whose presence means that all of it is there.
result() {
    case $1 in
    kernel)  echo "$cache/kernel/modules/crc32c_generic.ko" ;;
    busybox) echo "$cache/busybox/busybox" ;;
    u-boot)  echo "$cache/u-boot/u-boot.bin" ;;
    debian)  echo "$cache/debian/all-of-$(debian_packages | cksum | tr ' ' -)" ;;
    libfdt)  echo "$cache/libfdt/libfdt.h" ;;
    cbmc)    echo "$cache/cbmc/bin/cbmc" ;;
    *)       usage ;;
    esac
}

# The first of: what the user says, what this Debian uses itself, what debootstrap uses by default.
find_mirror() {
    if [ -n "${DUOMO_MIRROR:-}" ]; then
        echo "$DUOMO_MIRROR"
        return
    fi
    {
        apt-get indextargets --format '$(REPO_URI)' 'Origin: Debian' 'Label: Debian' \
            'Created-By: Packages' 2>/dev/null || true
        sed -n 's|.*[" ]\(http[s]*://[^" ]*/debian\)["/ ]*$|\1|p' /usr/sbin/debootstrap \
            /usr/share/debootstrap/functions /usr/share/debootstrap/scripts/sid 2>/dev/null || true
    } | head -n 1
}

# Only a Debian that uses security updates itself tells where they are.
find_security() {
    [ -n "${DUOMO_MIRROR:-}" ] || apt-get indextargets --format '$(REPO_URI)' 'Origin: Debian' \
        'Label: Debian-Security' 'Created-By: Packages' 2>/dev/null | head -n 1
}

# apt_open TYPE ARCH: from here apt-get and apt-cache see only Debian's $suite, in $work/apt.
# The system's network settings (proxies, time-outs) stay in force.
apt_open() {
    for tool in apt-get dpkg-deb; do
        command -v $tool >/dev/null || die "$what: no $tool here; remedy: a Debian or Ubuntu," \
            "or put $(result "$what") there by hand"
    done
    [ -r $keyring ] || die "$what: no $keyring; remedy: tools/deps.sh build"
    mirror=$(find_mirror)
    [ -n "$mirror" ] || die "$what: no Debian mirror known;" \
        "remedy: set DUOMO_MIRROR, or run tools/deps.sh build"
    security=$(find_security)

    apt=$work/apt
    mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$apt/parts"
    : > "$apt/status"
    echo "$1 [signed-by=$keyring] $mirror $suite main" > "$apt/sources.list"
    {
        apt-config dump --format '%F "%v";%n' |
            grep -E '^Acquire::(http|https|Retries|ForceIPv[46]|Check-[A-Za-z-]*)(::[^ ]*)? ' || true
        cat <<END
Dir::Etc::main "/dev/null";
Dir::Etc::parts "$apt/parts";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "$apt/parts";
Dir::Etc::sourcelist "$apt/sources.list";
Dir::Etc::sourceparts "$apt/parts";
Dir::State "$apt";
Dir::State::status "$apt/status";
Dir::Cache "$apt";
APT::Architecture "$2";
APT::Architectures { "$2"; };
APT::Install-Recommends "false";
APT::Sandbox::User "root";
APT::Update::Error-Mode "any";
APT::Get::AllowUnauthenticated "false";
Acquire::AllowInsecureRepositories "false";
Acquire::Languages "none";
Acquire::Retries "3";
Debug::NoLocking "true";
END
    } > "$apt/apt.conf"
    APT_CONFIG=$apt/apt.conf
    export APT_CONFIG

    say "$what: reading the package lists of Debian $suite ($2) ..."
    apt_do update
    [ -n "$security" ] || return 0
    echo "$1 [signed-by=$keyring] $security $suite-security main" > "$apt/parts/security.list"
    (apt_do update) 2>/dev/null || rm "$apt/parts/security.list"     # then without
}

# Runs apt-get in $work; what it says is shown only if it fails, as one line.
apt_do() {
    (cd "$work" && apt-get -q -y "$@") </dev/null >"$work/log" 2>&1 ||
        die "$what: cannot get it from $mirror ($(grep -m 1 '^E:' "$work/log" || echo "apt failed"));" \
            "remedy: check the network, or set DUOMO_MIRROR to another Debian mirror"
}

# deb_get PACKAGE: downloads it and unpacks it to $work/root.
deb_get() {
    say "$what: downloading $1 ..."
    apt_do download "$1"
    for deb in "$work"/*.deb; do
        dpkg-deb -x "$deb" "$work/root"
        rm "$deb"
    done
}

# The bytes of FILE from OFFSET, as hexadecimal digits.
hex_at() { od -An -v -tx1 -j "$2" -N "$3" "$1" | tr -d ' \n'; }

# The header of a bootable Image: "RISCV\0\0\0" at 0x30, "RSC\x05" at 0x38.
is_image() { [ "$(hex_at "$1" 48 12)" = 524953435600000052534305 ]; }

# The modules for disks, networks and entropy on virtio, and for ext4 with its checksums.
modules="virtio_mmio virtio_blk virtio_net virtio-rng crc32c_generic ext4"

# module_keep NAME: uncompressed, with what it needs, and its line of modules.dep.
module_keep() {
    [ ! -e "$out/modules/$1.ko" ] || return 0
    file=$(find "$work/root" -name "$1.ko*" | head -n 1)
    [ -n "$file" ] || return 0          # built into the kernel
    case $file in
    *.xz) xz -dc "$file" > "$out/modules/$1.ko" ;;
    *)    cp "$file" "$out/modules/$1.ko" ;;
    esac
    # A quarter of its size is what the kernel needs of it.
    riscv64-linux-gnu-strip --strip-unneeded "$out/modules/$1.ko" 2>/dev/null || true
    needs=$(tr '\0' '\n' < "$out/modules/$1.ko" | sed -n 's/^depends=//p' | tr , ' ')
    for need in $needs; do module_keep "$need"; done
    echo "$1.ko:$(module_needs "$1" | tac | awk '!had[$0]++' | tac | sed 's/.*/ &.ko/' | tr -d '\n')" \
        >> "$out/modules/modules.dep"
}

# All that a module needs, directly or not; what is needed by others comes after them.
module_needs() {
    for need in $(tr '\0' '\n' < "$out/modules/$1.ko" | sed -n 's/^depends=//p' | tr , ' '); do
        echo "$need"
        module_needs "$need"
    done
}

fetch_kernel() {
    apt_open deb riscv64
    package=$(apt-cache show --no-all-versions linux-image-riscv64 |
        sed -n 's/^Depends:.*\(linux-image-[^ ,]*\).*/\1/p')
    [ -n "$package" ] || die "kernel: $mirror has no linux-image-riscv64;" \
        "remedy: set DUOMO_MIRROR to another"
    deb_get "$package"

    image=$(find "$work/root/boot" -name 'vmlinu[xz]-*' | head -n 1)
    if [ "$(hex_at "$image" 0 2)" = 1f8b ]; then
        gzip -dc "$image" > "$out/Image"
    else
        cp "$image" "$out/Image"
    fi
    is_image "$out/Image" || die "kernel: $package holds no RISC-V Image;" \
        "remedy: set DUOMO_MIRROR to another"
    echo "${package#linux-image-}" > "$out/version"
    mkdir "$out/modules"
    : > "$out/modules/modules.dep"
    for module in $modules; do module_keep "$module"; done
}

fetch_busybox() {
    apt_open deb riscv64
    deb_get busybox-static
    cp "$(find "$work/root" -type f -path '*bin/busybox')" "$out/busybox"
}

# The build for S-mode: a guest has no M-mode, its SBI is the monitor's.
fetch_u_boot() {
    apt_open deb riscv64
    deb_get u-boot-qemu
    cp "$work/root/usr/lib/u-boot/qemu-riscv64_smode/u-boot.bin" "$out/"
}

# Packages as they are: tools/mkrootfs.sh makes systems of them.  The essential ones, without which
# dpkg cannot run, come first there.
fetch_debian() {
    apt_open deb riscv64
    say "debian: downloading the packages of a Debian system (160 MB) ..."
    apt_do install --print-uris '?essential'
    sed -n "s/^'[^']*' \([^ ]*\.deb\) .*/\1/p" "$work/log" > "$out/essential"
    # shellcheck disable=SC2046       # a list of words
    apt_do install --download-only $(debian_packages)
    mv "$apt"/archives/*.deb "$out/"
    find "$apt/sources.list" "$apt/parts" -name '*.list' -exec cat {} + > "$out/sources"
    : > "$out/$(basename "$(result debian)")"
}

# The monitor runs on bare metal, so it compiles libfdt itself.
fetch_libfdt() {
    apt_open deb-src "$(dpkg --print-architecture)"
    say "libfdt: downloading the source of device-tree-compiler ..."
    apt_do source --download-only --tar-only device-tree-compiler
    tar -C "$work" -xf "$work"/device-tree-compiler_*.orig.tar.*
    cp "$work"/*/libfdt/*.[ch] "$out/"
}

# Debian 13 has cbmc.  Elsewhere it and its companions stand beside the C library they need.
fetch_cbmc() {
    programs="cbmc goto-cc goto-instrument"
    mkdir "$out/bin"
    if [ -x /usr/bin/cbmc ]; then
        for program in $programs; do ln -s "/usr/bin/$program" "$out/bin/"; done
        return
    fi

    apt_open deb "$(dpkg --print-architecture)"
    say "cbmc: downloading cbmc and its libraries ..."
    apt_do install --download-only cbmc
    mkdir "$out/lib" "$out/libexec"
    for deb in "$apt"/archives/*.deb; do
        dpkg-deb -x "$deb" "$work/root"
    done
    libc=$(dirname "$(find "$work/root" -name libc.so.6 | head -n 1)")
    loader=$(find "$libc" -name 'ld-linux*.so.*' | head -n 1)
    for program in $programs; do
        cp "$work/root/usr/bin/$program" "$out/libexec/"
        "$loader" --library-path "$libc:$work/root/usr/lib" --list "$out/libexec/$program" |
            sed -n 's/.* => \(.*\) (.*/\1/p' | while read -r file; do cp -L "$file" "$out/lib/"; done
        cat > "$out/bin/$program" <<END
#!/bin/sh
here=\$(dirname "\$(dirname "\$(readlink -f "\$0")")")
exec "\$here/lib/${loader##*/}" --library-path "\$here/lib" "\$here/libexec/$program" "\$@"
END
        chmod +x "$out/bin/$program"
    done
    "$out/bin/cbmc" --version >/dev/null || die "cbmc: what was downloaded does not run here;" \
        "remedy: install cbmc by hand and make it $(result cbmc)"
}

[ $# -gt 0 ] || usage
missing=
for what; do
    file=$(result "$what") || exit
    [ -e "$file" ] || missing="$missing $what"
done
[ -n "$missing" ] || exit 0

mkdir -p "$cache" || die "cannot create $cache; remedy: set DUOMO_CACHE to a folder that can be written"
exec 9> "$cache/lock"
flock 9
work=
trap '[ -z "$work" ] || rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

for what in $missing; do
    [ ! -e "$(result "$what")" ] || continue            # another fetch was faster
    work=$(mktemp -d "$cache/tmp.XXXXXX")
    out=$work/out
    mkdir "$out"
    unset APT_CONFIG
    "fetch_$(echo "$what" | tr - _)"
    chmod 755 "$out"
    rm -rf "${cache:?}/$what"
    mv -T "$out" "$cache/$what"
    rm -rf "$work"
    work=
    say "$what: $(result "$what")"
done
