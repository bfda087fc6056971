# SPDX-License-Identifier: MIT
#
# A machine with a Linux guest on it, and the console through which a test talks to it.
#
# In:     how the machine shall be (kernel command line, CPU properties, ...), and keystrokes.
# Out:    what the guest prints.
# Always: every wait has an end.  A wait that ends in vain fails with the console's last lines.

import os
import re
import subprocess
import termios
from functools import lru_cache

import pexpect
import pytest

# QEMU without hardware virtualization, on a machine that others use too.
BOOT_SECONDS = 60
COMMAND_SECONDS = 30

READY = "duomo: shell ready"
PROMPT = re.compile(r"root@\w+:\S+# ")
QEMU = ["qemu-system-riscv64", "-M", "virt", "-nographic"]


def cpu(properties):
    return ["-cpu", ",".join(filter(None, ["rv64,h=false", properties]))]


@lru_cache(maxsize=None)
def cpu_takes(properties):
    """Whether this QEMU knows these CPU properties: older ones know fewer."""
    if not properties:
        return True
    tried = subprocess.run(QEMU[:3] + cpu(properties) + ["-display", "none", "-serial", "none", "-S",
                           "-monitor", "stdio"], input="quit\n", text=True, capture_output=True,
                           timeout=COMMAND_SECONDS)
    return tried.returncode == 0


def keep_line_ends():
    """Tells the terminal not to add a \\r of its own to the guest's \\r\\n."""
    modes = termios.tcgetattr(1)
    modes[1] &= ~termios.ONLCR
    termios.tcsetattr(1, termios.TCSANOW, modes)


class Bare:
    """The machine itself, under the firmware that QEMU brings."""

    def __init__(self, kernel, initrd, cmdline="", cpu="", shadow_pages=None, virtio_console=False):
        self.files = ["-kernel", str(kernel), "-initrd", str(initrd)]
        self.cpu, self.cmdline = cpu, cmdline
        self.devices = ["-device", "virtio-rng-device"]
        if virtio_console:
            self.devices += ["-serial", "null", "-monitor", "none", "-chardev", "stdio,id=line,signal=off", "-device",
                             "virtio-serial-device", "-device", "virtconsole,chardev=line"]

    def command(self):
        return QEMU + cpu(self.cpu) + ["-m", "256M", "-append",
                                       f"console=ttyS0 TERM=dumb {self.cmdline}"] + self.files + self.devices

    def clean(self):
        pass


class Virtual:
    """A VM.  The machine stops at a reset, so that only the VM's own reboot can boot it again."""

    count = 0

    def __init__(self, monitor, duomo, kernel, initrd, workdir, cmdline="", cpu="", shadow_pages=None,
                 virtio_console=False):
        Virtual.count += 1
        self.monitor, self.cpu = monitor, cpu
        self.bundle = workdir / f"{Virtual.count}.itb"
        more = ["--shadow-pages", str(shadow_pages)] if shadow_pages else []
        more += ["--virtio-console", "yes"] if virtio_console else []
        subprocess.run([duomo, "pack", "--kernel", kernel, "--initrd", initrd, "--memory", "256M",
                        "--cmdline", f"console=ttyS0 TERM=dumb {cmdline}", "-o", self.bundle] + more,
                       check=True)

    def command(self):
        return QEMU + cpu(self.cpu) + ["-m", "512M", "-no-reboot", "-bios", str(self.monitor),
                                       "-kernel", str(self.bundle)]

    def clean(self):
        self.bundle.unlink(missing_ok=True)


class Machine:
    """A started machine."""

    def __init__(self, description):
        self.description = description
        command = description.command()
        self.console = pexpect.spawn(command[0], command[1:], encoding="utf-8", codec_errors="replace",
                                     dimensions=(24, 80), preexec_fn=keep_line_ends)
        self.console.delaybeforesend = None
        self.log = self.console.logfile_read = Log()

    def expect(self, pattern, seconds=COMMAND_SECONDS):
        """Waits until the guest has printed `pattern`; returns the match."""
        why_not = {pexpect.TIMEOUT: f"{seconds} s have passed", pexpect.EOF: "the machine has ended"}
        why_not.pop(pattern, None)
        found = self.console.expect([pattern, *why_not], timeout=seconds)
        if found > 0:
            wanted = getattr(pattern, "pattern", pattern)
            pytest.fail(f"waited for {wanted!r}, but {list(why_not.values())[found - 1]}; "
                        f"the console's end:\n{self.log.tail()}", pytrace=False)
        return self.console.match

    def expect_text(self, text, seconds=COMMAND_SECONDS):
        return self.expect(re.escape(text), seconds)

    def send(self, keys):
        self.console.send(keys)

    def wait_shell(self, seconds=BOOT_SECONDS):
        self.expect_text(READY, seconds)
        self.expect(PROMPT)

    def run(self, command, status=0, seconds=COMMAND_SECONDS):
        """Runs a shell command; returns what it printed.  (The marks differ from how they are typed.)"""
        self.send(f'echo "<"run">"; {command}; echo "<$?>"\r')
        match = self.expect(re.compile(r"<run>\r\n(.*?)<(\d+)>\r\n", re.DOTALL), seconds)
        text = match.group(1).replace("\r\n", "\n")
        assert int(match.group(2)) == status, f"{command!r} ended with {match.group(2)}: {text}"
        self.expect(PROMPT)
        return text

    def answers(self):
        """Whether the shell is there and has nothing else to do."""
        if not self.console.isalive():
            return False
        self.send("\x03echo y''es\r")
        return self.console.expect(["\nyes\r\n", pexpect.TIMEOUT, pexpect.EOF], timeout=10) == 0 \
            and self.console.expect([PROMPT, pexpect.TIMEOUT, pexpect.EOF], timeout=10) == 0

    def wait_end(self, seconds=COMMAND_SECONDS):
        """Waits until the machine has gone; returns QEMU's exit code."""
        self.expect(pexpect.EOF, seconds)
        self.console.close()
        return self.console.exitstatus

    def stop(self):
        self.console.close(force=True)
        self.description.clean()


class Log:
    """All that a console has shown.  DUOMO_SHOW=1 shows it at once, too (pytest -s)."""

    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text += text
        if os.environ.get("DUOMO_SHOW") == "1":
            print(text, end="")

    def flush(self):
        pass

    def tail(self):
        return "\n".join(self.text.replace("\r", "").splitlines()[-15:])
