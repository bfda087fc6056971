# SPDX-License-Identifier: MIT
"""A newer version of Debian's kernel package, whichever version that is.

In:     the .deb of a kernel, as tools/fetch.sh debian brought it.
Out:    the same kernel under another release name, one that sorts behind the first: in the package's
        name, paths and scripts, and in the kernel; few of its drivers.
Always: the names are of one length, so nothing in the kernel moves.  Drivers stay as they are, for they are
        signed, and a kernel that looks at the versions of symbols does not look at the release.
"""

import shutil
import subprocess
from pathlib import Path

# What a machine on virtio needs, and what that needs.
DRIVERS = ("virtio_mmio", "virtio_blk", "virtio_net", "net_failover", "failover", "ext4", "jbd2", "mbcache",
           "crc16", "crc32c_generic", "libcrc32c", "virtio-rng")


def release_of(deb):
    package = subprocess.run(["dpkg-deb", "-f", deb, "Package"], check=True, capture_output=True, text=True).stdout
    return package.strip().removeprefix("linux-image-")


def next_release(release):
    newer = release.replace("+deb13", "+deb14", 1)
    assert newer != release, f"{release} is no release of Debian 13"
    return newer


def make(deb, out, workdir):
    """Writes the package `out`; returns its kernel's release."""
    old, tree = release_of(deb), Path(workdir) / "next-kernel"
    new = next_release(old)
    subprocess.run(["dpkg-deb", "-R", deb, tree], check=True)
    shutil.rmtree(tree / "usr/share", ignore_errors=True)
    shutil.rmtree(tree / f"usr/lib/linux-image-{old}", ignore_errors=True)
    (tree / "DEBIAN/md5sums").unlink()
    for path in list(tree.rglob("*.ko.xz")):
        if path.name.split(".")[0] not in DRIVERS:
            path.unlink()
    for path in sorted((path for path in tree.rglob("*") if path.is_dir()), reverse=True):
        if not any(path.iterdir()):
            path.rmdir()
    for path in [path for path in tree.rglob("*") if path.is_file()]:
        path.write_bytes(path.read_bytes().replace(old.encode(), new.encode()))
    for path in sorted(tree.rglob(f"*{old}"), reverse=True):
        path.rename(path.with_name(path.name.replace(old, new)))
    subprocess.run(["dpkg-deb", "--root-owner-group", "-Znone", "-b", tree, out], check=True,
                   stdout=subprocess.DEVNULL)
    shutil.rmtree(tree)
    return new
