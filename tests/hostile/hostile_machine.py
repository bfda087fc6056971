# SPDX-License-Identifier: MIT
#
# A machine with several VMs on it, its console, and a look at the monitor's own memory.
#
# In:     a monitor (ELF) and VMs; how many harts.
# Out:    what the console shows; the monitor's answers; how the machine ended; whether the monitor's
#         text and constants are still what the ELF says.
# Always: with one hart time is instructions: one takes a nanosecond (-icount shift=0), and a hart that
#         waits makes time jump.  So a busy host changes nothing but how long a test takes.  Several
#         harts run in threads of their own, by the host's clock.  Every wait has an end.
#         (A hart that waits for nothing at all makes QEMU deaf; so somebody has to be busy when it is
#         asked for memory.)

import json
import os
import re
import secrets
import socket
import struct
import subprocess
import threading
import time
from pathlib import Path

QEMU = os.environ.get("QEMU", "qemu-system-riscv64")
ANSWER_SECONDS = 20
WHOSE = re.compile(rb"(?m)^\x1b\[1;3\dm[\w-]+ *\x1b\[0m\| ")    # before a line, where all VMs are shown
FRAME = re.compile(rb"\x1b_duomo;[^\x1b]*;begin\x1b\\.*?(\x1b_duomo;[^\x1b]*;end;\w+\x1b\\|$)", re.S)
SLOW_BYTES, SLOW_SECONDS = 1024, 0.02
SHT_SYMTAB, SHT_RELA, PT_LOAD, PF_W = 2, 4, 1, 2
STACK_GUARD, STACK_STRIDE = 4096, 4096 + 16384          # src/arch/riscv/layout.h


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


    def symbol(self, name):
        """Where something of the monitor stands."""
        symbols = next(s for s in self.sections if s[1] == SHT_SYMTAB)
        strings = self.sections[symbols[6]]
        for at in range(symbols[4], symbols[4] + symbols[5], 24):
            text, _, _, _, value, _ = struct.unpack_from("<IBBHQQ", self.data, at)
            begin = strings[4] + text
            if self.data[begin:self.data.index(b"\0", begin)] == name.encode():
                return value
        raise KeyError(name)


class Machine:
    """A started machine."""

    def __init__(self, monitor, bundle, folder, icount=True, slow=False, memory="512M", harts=1,
                 cpu="rv64,h=false", disk=None, one_core=False, disk_speed=None):
        self.elf, self.folder, self.slow, self.harts = Elf(monitor), folder, slow, harts
        self.news, self.ended = threading.Condition(), False
        self.console = bytearray()
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "bundle.itb").write_bytes(bundle)
        command = [QEMU, "-M", "virt", "-cpu", cpu, "-smp", str(harts), "-m", memory, "-display", "none",
                   "-serial", f"unix:{folder}/console,server=on,wait=on", "-monitor", "none", "-no-reboot",
                   "-bios", str(monitor), "-kernel", f"{folder}/bundle.itb",
                   "-qmp", f"unix:{folder}/qmp,server=on,wait=off"]
        if one_core:
            command = ["taskset", "-c", str(max(os.sched_getaffinity(0))), *command]
        if icount and harts == 1:
            command += ["-icount", "shift=0,sleep=off"]
        if disk:
            slowly = f",throttling.bps-total={disk_speed}" if disk_speed else ""     # bytes a second of the host's
            command += ["-global", "virtio-mmio.force-legacy=false",
                        "-drive", f"if=none,id=disk,format=raw,cache=unsafe,file={disk}{slowly}",
                        "-device", "virtio-blk-device,drive=disk"]
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
        text = WHOSE.sub(b"", FRAME.sub(b"", text))
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

    def type(self, keys):
        self.line.sendall(keys.encode())

    def request(self, text, seconds=ANSWER_SECONDS, form="json"):
        """The monitor's answer to a command, as a dictionary or text; None: there is none.  (docs/monitor.md)"""
        nonce = secrets.token_hex(8)
        pattern = re.compile(f"\x1b_duomo;{nonce};begin\x1b\\\\(.*?)\x1b_duomo;{nonce};end;".encode(), re.S)
        with self.news:
            seen = len(self.console)
        self.line.sendall(f"\x1d:{nonce} {form} {text}\r".encode())
        with self.news:
            self.news.wait_for(lambda: self.ended or pattern.search(self.console, seen), seconds)
            answer = pattern.search(self.console, seen)
        if not answer:
            return None
        return json.loads(answer.group(1)) if form == "json" else answer.group(1).decode()

    def wait_end(self, seconds):
        """QEMU's exit code; None: it still runs."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        self.reader.join()
        return self.process.returncode

    def cpu_seconds(self):
        """How long QEMU was on a processor: what a busy computer gave to others is not in it."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")

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

    def stacks(self):
        """How much of each hart's stack was ever written, in per cent: at power-on all of it is zero."""
        at, stride, guard = self.elf.symbol("_stacks"), STACK_STRIDE, STACK_GUARD
        memory = self.memory_at(at, stride * self.harts)
        used = []
        for i in range(0, len(memory), stride):
            stack = memory[i + guard:i + stride]
            used.append(100 * len(stack.lstrip(b"\0")) // len(stack))
        return used

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.reader.join(ANSWER_SECONDS)
        self.line.close()
