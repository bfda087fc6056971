# SPDX-License-Identifier: MIT
#
# Fixtures of the system tests: a Linux guest, booted in a VM or on the bare machine.
#
# In:     build/duomo.elf (the monitor), build/duomo (the host command), and the kernel and the busybox
#         that tools/fetch.sh brought.  DUOMO_BARE=1: the same tests on the same machine without the
#         monitor; what they expect does not change, for a VM is to be like the machine.
# Out:    `boot`, which starts a machine of its own for a test; `shell`, a guest at its prompt that
#         tests share; both end with the test run, whatever happens.
# Always: what is missing is an error of one line that says what to do.

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from debian import CACHE
from machine import Bare, Machine, Virtual, cpu_takes

PROJECT = Path(__file__).resolve().parents[2]


def pytest_configure(config):
    config.addinivalue_line("markers", "quiet: it looks at the clock, and wants the computer for itself")


def needs(path, remedy):
    if not path.exists():
        pytest.fail(f"no {path}; remedy: {remedy}", pytrace=False)
    return path


@pytest.fixture(scope="session")
def bare():
    return os.environ.get("DUOMO_BARE") == "1"


@pytest.fixture(scope="session")
def qemu():
    if not shutil.which("qemu-system-riscv64"):
        pytest.fail("no qemu-system-riscv64; remedy: tools/deps.sh run", pytrace=False)


@pytest.fixture(scope="session")
def kernel():
    return needs(CACHE / "kernel/Image", "tools/fetch.sh kernel")


@pytest.fixture(scope="session")
def busybox():
    return needs(CACHE / "busybox/busybox", "tools/fetch.sh busybox")


@pytest.fixture(scope="session")
def monitor():
    return needs(PROJECT / "build/duomo.elf", "make")


@pytest.fixture(scope="session")
def duomo():
    return needs(PROJECT / "build/duomo", "make")


@pytest.fixture(scope="session")
def workdir(tmp_path_factory):
    """A folder for large files; unlike pytest's own it does not outlive the run."""
    path = tmp_path_factory.mktemp("system")
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="session")
def initrd(busybox, workdir):
    path = workdir / "initrd.gz"
    subprocess.run([PROJECT / "tools/mkinitrd.sh", path, PROJECT / "tests/system/guest"], check=True)
    return path


@pytest.fixture(scope="session")
def make(request, bare, qemu, kernel, initrd, workdir):
    """Returns a function that describes a machine (see machine.py) without starting it."""
    if bare:
        return lambda **how: Bare(kernel, initrd, **how)

    monitor = request.getfixturevalue("monitor")
    duomo = request.getfixturevalue("duomo")
    return lambda **how: Virtual(monitor, duomo, kernel, initrd, workdir, **how)


@pytest.fixture
def boot(make):
    """Returns a function that starts a machine; the test's end stops it."""
    started = []

    def start(**how):
        if not cpu_takes(how.get("cpu", "")):
            pytest.skip(f"this QEMU's hart has no {how['cpu']}")
        started.append(Machine(make(**how)))
        return started[-1]

    yield start
    for machine in started:
        machine.stop()


@pytest.fixture(scope="session")
def shared():
    """The machine behind `shell`: a list of none or one."""
    machines = []
    yield machines
    for machine in machines:
        machine.stop()


@pytest.fixture
def shell(make, shared):
    """A guest at its prompt.  A test that loses it costs the next one a boot, not its result.

    Its kernel says nothing between the lines, such as that an interrupt took long on a busy computer.
    """
    if not shared:
        shared.append(Machine(make()))
        shared[0].wait_shell()
        shared[0].run("dmesg -n 1")
    yield shared[0]
    if not shared[0].answers():
        shared.pop().stop()
