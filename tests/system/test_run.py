# SPDX-License-Identifier: MIT
#
# `duomo run`: Debian's Linux on a real QEMU, with and without a terminal.
#
# In:     build/duomo, build/duomo.elf, the kernel and the initial file system (conftest.py).
# Out:    what a user sees, and the exit code.
# Always: no QEMU is left.

import os
import signal
import subprocess
import time
from pathlib import Path

import pexpect
import pytest

from machine import BOOT_SECONDS


@pytest.fixture
def config(bare, duomo, monitor, qemu, kernel, initrd, tmp_path):
    """Returns a function that writes a configuration of one Linux."""
    if bare:
        pytest.skip("the bare machine has no monitor")

    def write(cmdline):
        path = tmp_path / "linux.yaml"
        path.write_text(f"vms:\n  - name: linux\n    kernel: {kernel}\n    initrd: {initrd}\n"
                        f"    cmdline: 'console=ttyS0 quiet TERM=dumb {cmdline}'\n")
        return [str(duomo), "run", str(path)]

    return write


def qemus(parent):
    """The QEMUs that this process has started."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return [int(child) for child in children]


def is_gone(pid):
    end = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and time.monotonic() < end:
        if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.05)
    return not Path(f"/proc/{pid}").exists()


def test_without_a_terminal(config):
    done = subprocess.run(config("duomo.run=\"echo a b; uname -s\""), stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=BOOT_SECONDS, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "a b\nLinux\nduomo: exit 0\n" in done.stdout


def test_at_a_terminal(config):
    command = config("")
    shell = pexpect.spawn(command[0], command[1:], encoding="utf-8", codec_errors="replace",
                          timeout=BOOT_SECONDS)
    shell.expect("root@duomo:~# ")
    qemu, = qemus(shell.pid)
    shell.send("sleep 100\r")
    shell.expect("sleep 100\r\n")
    shell.send("\x03")                              # for the guest's shell, not for the tool
    shell.expect("root@duomo:~# ")
    shell.send("echo $((6 * 7))\r")
    shell.expect("\n42\r\n")
    shell.send("\x1dx")
    shell.expect(pexpect.EOF)
    shell.close()
    assert shell.exitstatus == 0 and is_gone(qemu)


@pytest.mark.parametrize("which", [signal.SIGTERM, signal.SIGKILL])
def test_no_qemu_is_left(config, which):
    with subprocess.Popen(config(""), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL) as process:
        assert process.stdout.readline()
        qemu, = qemus(process.pid)
        os.kill(process.pid, which)
        assert process.wait(BOOT_SECONDS) == -which
        assert is_gone(qemu)
