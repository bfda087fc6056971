# SPDX-License-Identifier: MIT
#
# A machine with several VMs on it, its console, and a look at the monitor's own memory.
#
# In:     a monitor (ELF) and VMs.
# Out:    what the console shows; how the machine ended; whether the monitor's text and constants are
#         still what the ELF says.
# Always: time is instructions: one takes a nanosecond (-icount shift=0), and a hart that waits makes
#         time jump.  So a busy host changes nothing but how long a test takes.  Every wait has an end.
#         (A hart that waits for nothing at all makes QEMU deaf; so somebody has to be busy when it is
#         asked for memory.)

import json
import os
import re
import socket
import struct
import subprocess
import threading
import time
from pathlib import Path

QEMU = os.environ.get("QEMU", "qemu-system-riscv64")
ANSWER_SECONDS = 20
WHOSE = re.compile(rb"(?m)^\x1b\[1;3\dm[\w-]+ *\x1b\[0m\| ")    # before a line, where all VMs are shown
SLOW_BYTES, SLOW_SECONDS = 1024, 0.02
SHT_RELA, PT_LOAD, PF_W = 4, 1, 2


class Elf:
    """The monitor as it stands in memory once it has relocated itself to where it was linked."""

    def __init__(self, path):
        self.data = Path(path).read_bytes()
        ph, sh = struct.unpack_from("<QQ", self.data, 32)
        ph_size, ph_count, sh_size, sh_count = struct.unpack_from("<HHHH", self.data, 54)
        self.sections = [struct.unpack_from("<IIQQQQIIQQ", self.data, sh + i * sh_size)
                         for i in range(sh_count)]
        self.segments = [struct.unpack_from("<IIQQQQQQ", self.data, ph + i * ph_size)
                         for i in range(ph_count)]

    def relocations(self):
        """Addresses and what is put there."""
        for section in self.sections:
            if section[1] != SHT_RELA:
                continue
            for at in range(section[4], section[4] + section[5], 24):
                offset, info, addend = struct.unpack_from("<QQQ", self.data, at)
                yield offset, addend

    def constant(self):
        """Address and content of every segment that nobody may write."""
        for kind, flags, offset, _, at, size, _, _ in self.segments:
            if kind != PT_LOAD or flags & PF_W:
                continue
            content = bytearray(self.data[offset:offset + size])
            for where, value in self.relocations():
                if at <= where < at + size:
                    struct.pack_into("<Q", content, where - at, value)
            yield at, bytes(content)


class Machine:
    """A started machine."""

    def __init__(self, monitor, bundle, folder, icount=True, slow=False, memory="512M"):
        self.elf, self.folder, self.slow = Elf(monitor), folder, slow
        self.news, self.ended = threading.Condition(), False
        self.console = bytearray()
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "bundle.itb").write_bytes(bundle)
        command = [QEMU, "-M", "virt", "-cpu", "rv64,h=false", "-m", memory, "-display", "none",
                   "-serial", f"unix:{folder}/console,server=on,wait=on", "-monitor", "none", "-no-reboot",
                   "-bios", str(monitor), "-kernel", f"{folder}/bundle.itb",
                   "-qmp", f"unix:{folder}/qmp,server=on,wait=off"]
        if icount:
            command += ["-icount", "shift=0,sleep=off"]
        with open(folder / "errors", "w", encoding="utf-8") as errors:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=errors)
        self.line = self.connect("console")
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def connect(self, name):
        """A socket of QEMU's, which needs a moment to make it."""
        deadline = time.monotonic() + ANSWER_SECONDS
        while True:
            line = socket.socket(socket.AF_UNIX)
            try:
                line.connect(f"{self.folder}/{name}")
                return line
            except OSError:
                line.close()
                if self.process.poll() is not None or time.monotonic() >= deadline:
                    raise RuntimeError((self.folder / "errors").read_text()) from None
                time.sleep(0.01)

    def read(self):
        while chunk := self.line.recv(SLOW_BYTES if self.slow else 65536):
            with self.news:
                self.console += chunk
                self.news.notify_all()
            if self.slow:
                time.sleep(SLOW_SECONDS)
        with self.news:
            self.ended = True
            self.news.notify_all()

    def shown(self):
        """The console's lines, without whose they are; what is no text for a terminal is one mark."""
        with self.news:
            text = bytes(self.console)
        text = WHOSE.sub(b"", text)
        return re.sub(rb"[^\n -~]+", b"~", re.sub(rb"\r\n?", b"\n", text)).decode("ascii")

    def wait(self, pattern, times, seconds):
        """Waits until the console's lines have matched so often.  False: it ended, or time is over."""
        pattern, deadline = re.compile(pattern.encode()), time.monotonic() + seconds
        seen = found = 0
        while True:
            with self.news:
                fresh = bytes(self.console[seen:self.console.rfind(b"\n") + 1])
                if not fresh and not self.ended:
                    self.news.wait(min(1, max(0, deadline - time.monotonic())))
            found += len(pattern.findall(fresh))
            seen += len(fresh)
            if found >= times:
                return True
            if not fresh and (self.ended or time.monotonic() >= deadline):
                return False

    def wait_end(self, seconds):
        """QEMU's exit code; None: it still runs."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        self.reader.join()
        return self.process.returncode

    def ask(self, *commands):
        """Says something to QEMU itself."""
        with self.connect("qmp") as qmp:
            qmp.settimeout(ANSWER_SECONDS)
            answers = qmp.makefile("r")
            json.loads(answers.readline())
            for name, arguments in [("qmp_capabilities", {}), *commands]:
                qmp.sendall(json.dumps({"execute": name, "arguments": arguments}).encode())
                while "return" not in (answer := json.loads(answers.readline())):
                    assert "error" not in answer, answer

    def memory_at(self, at, size):
        """The machine's memory; it stands still from now on."""
        path = self.folder / "memory"
        self.ask(("stop", {}), ("pmemsave", {"val": at, "size": size, "filename": str(path)}))
        return path.read_bytes()

    def changes(self):
        """Where the monitor's text and constants are not what the ELF says."""
        found = []
        for at, wanted in self.elf.constant():
            there = self.memory_at(at, len(wanted))
            found += [f"{at + i:#x}" for i in range(len(wanted)) if there[i] != wanted[i]]
        return found

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.reader.join(ANSWER_SECONDS)
        self.line.close()
