# SPDX-License-Identifier: MIT
#
# Debian's Linux in a VM does what it does on the machine itself.
#
# In:     a guest's console (conftest.py).
# Out:    what the guest computes is compared with what Python computes; what it does, with what a
#         person at a terminal expects.
# Always: every test here also passes on the bare machine (DUOMO_BARE=1).

import collections
import hashlib
import math
import re
import time

import pytest

from machine import BOOT_SECONDS


def sha256(data):
    return hashlib.sha256(data.encode() if isinstance(data, str) else data).hexdigest()


# Computing.

def test_sees_its_machine(shell):
    assert shell.run("uname -sm") == "Linux riscv64\n"
    assert shell.run("nproc") == "1\n"
    kib = int(shell.run("awk '/MemTotal/ { print $2 }' /proc/meminfo"))
    assert 160 << 10 < kib < 256 << 10


def test_checksums_of_known_data(shell, busybox):
    assert shell.run("sha256sum < /bin/busybox").split()[0] == sha256(busybox.read_bytes())
    numbers = "".join(f"{n}\n" for n in range(1, 30001))
    assert shell.run("seq 1 30000 | sha256sum").split()[0] == sha256(numbers)
    zeros = shell.run("dd if=/dev/zero bs=64k count=64 2>/dev/null | sha256sum").split()[0]
    assert zeros == sha256(bytes(4 << 20))


def test_compression_round_trip(shell, busybox):
    shell.run("gzip -c /bin/busybox > /tmp/b.gz; gunzip -c /tmp/b.gz > /tmp/b")
    assert shell.run("sha256sum < /tmp/b; rm /tmp/b /tmp/b.gz").split()[0] == sha256(busybox.read_bytes())


def test_large_numbers(shell):
    product = "1 " + " ".join(f"{n} *" for n in range(2, 41)) + " p"
    assert shell.run(f"echo {product} | dc") == f"{math.factorial(40)}\n"


def test_floating_point_survives_other_processes(shell):
    """Two at once: each has the registers to itself."""
    program = "BEGIN { for (i = 1; i <= 30000; i++) s += 1 / (i + k); printf \"%.9f\\n\", s }"
    expected = {}
    for k in (1, 2):
        expected[k] = 0.0
        for i in range(1, 30001):
            expected[k] += 1 / (i + k)
    shell.run("; ".join(f"awk -v k={k} '{program}' > /tmp/f{k} &" for k in (1, 2)).replace("&;", "&")
              + " wait")
    assert shell.run("cat /tmp/f1 /tmp/f2") == f"{expected[1]:.9f}\n{expected[2]:.9f}\n"


def test_a_load_like_a_build(shell):
    lines = collections.Counter()
    for i in range(1, 13):
        fields = 0
        for row, number in enumerate(range(i, i + 41), 1):
            text = str(number).replace("1", "one ")
            fields += len(text.split())
            lines[f"{row}: {text}".upper()] += 1
        lines[f"SUM {fields}"] += 1
    program = "".join(" ".join(f"{count} {line}".split()) + "\n"
                      for line, count in sorted(lines.items(), key=lambda l: (l[1], " " + l[0])))
    assert shell.run("sh /load/build.sh 12", seconds=90) == sha256(program) + "\n"


# Processes.

def test_pipes(shell):
    assert shell.run("seq 1 5000 | grep 7 | sort -rn | head -n 3 | tr '\\n' ' '", seconds=60) == "4997 4987 4979 "
    # An interactive busybox writes each line by a system call of its own: tens of thousands.
    assert shell.run("yes | head -c 40000 | wc -c", seconds=60).strip() == "40000"


def test_many_processes_at_once(shell):
    shell.run("rm -f /tmp/n; for i in $(seq 1 100); do (sleep 1; echo $i >> /tmp/n) & done; wait", seconds=60)
    assert shell.run("sort -n /tmp/n | uniq | wc -l").strip() == "100"


def test_many_processes_one_after_the_other(shell):
    assert shell.run("n=0; for i in $(seq 1 200); do (exit 7); [ $? = 7 ] && n=$((n + 1)); done; echo $n",
                     seconds=60) == "200\n"


def test_many_programs_one_after_the_other(shell):
    assert shell.run("n=0; for i in $(seq 1 100); do n=$((n + $(/bin/busybox echo 3))); done; echo $n",
                     seconds=60) == "300\n"


def test_signals(shell):
    assert shell.run("sh -c 'trap \"echo caught\" USR1; kill -USR1 $$; echo after'") == "caught\nafter\n"
    shell.run("sh -c 'kill -SEGV $$'", status=139)
    shell.run("timeout 1 sleep 100", status=143)
    shell.run("sleep 100 & kill -9 $!; wait $!", status=137)


@pytest.mark.quiet
def test_time_passes_as_outside(shell):
    def uptime():
        return float(shell.run("cut -d ' ' -f 1 /proc/uptime"))

    inside, outside = uptime(), time.monotonic()
    time.sleep(3)
    inside, outside = uptime() - inside, time.monotonic() - outside
    assert abs(inside - outside) < 0.25 * outside

    outside = time.monotonic()
    shell.run("sleep 2")
    assert time.monotonic() - outside >= 1.9


# The terminal.

def test_line_editing(shell):
    shell.send("echo xone\x1b[D\x1b[D\x1b[D\x7ft\x1b[C\x1b[C\x1b[C!\r")     # left 3, erase, right 3
    shell.expect_text("\r\ntone!\r\n")
    shell.send("\x1b[A\r")                                                  # the line before
    shell.expect_text("\r\ntone!\r\n")


def test_ctrl_c_ends_a_program(shell):
    # What says so is in the foreground already: a shell's own word would come before its child is.
    shell.send("sh -c 'echo sta''rted; exec sleep 100'\r")
    shell.expect_text("\nstarted")
    shell.send("\x03")
    shell.expect("root@duomo:")
    shell.run("true")
    shell.send("sh -c 'echo sta''rted; while :; do :; done'; echo \"<$?>\"\r")
    shell.expect_text("\nstarted")
    shell.send("\x03")
    shell.expect("root@duomo:")
    shell.run("true")


def test_job_control(shell):
    shell.send("sleep 100\r")
    shell.expect_text("100\r\n")
    time.sleep(0.5)                             # until the shell has handed the terminal over
    shell.send("\x1a")
    shell.expect_text("Stopped")
    shell.run("bg %1 > /dev/null; jobs | grep -q Running; kill %1; wait %1", status=143)


def test_a_long_paste_arrives_whole(shell):
    text = "".join(f"{n:03} the quick brown fox jumps over the lazy dog 0123456789\n" for n in range(60))
    shell.send("stty -echo; echo rea''dy; cat > /tmp/paste; stty echo; sha256sum < /tmp/paste\r")
    shell.expect_text("\nready")
    shell.send(text.replace("\n", "\r") + "\x04")
    assert shell.expect("([0-9a-f]{64})").group(1) == sha256(text)


def test_a_lot_of_output_arrives_whole(shell):
    assert shell.run("seq 1 4000", seconds=60) == "".join(f"{n}\n" for n in range(1, 4001))


def test_vi_edits_a_file(shell):
    shell.send("rm -f /tmp/v; vi /tmp/v\r")
    shell.expect_text("- /tmp/v")
    for keys in ("ifirst\rthird\x1b", "Osecond\x1b", "gg0xiF\x1b"):
        shell.send(keys)
        shell.expect_text("I /tmp/v [Modified]")
        shell.expect_text("- /tmp/v [Modified]")        # so the escape key was not taken for an arrow's
    shell.send(":wq\r")
    shell.expect("root@duomo:")
    assert shell.run("cat /tmp/v") == "First\nsecond\nthird\n"


def test_top_shows_processes_and_leaves(shell):
    shell.send("top -d 1\r")
    for _ in range(2):                          # it comes again, so the timer ticks
        shell.expect_text("Load average:")
        shell.expect_text("{init}")
    shell.send("q")
    shell.expect("root@duomo:")
    shell.run("true")


# Virtio devices beside disks and networks.

def interrupts(machine, device):
    """How many of that virtio device the guest has had (Linux: virtio0, or virtio0-input and so on)."""
    lines = machine.run("cat /proc/interrupts").splitlines()
    return sum(int(line.split()[1]) for line in lines if re.match(device + r"(-|$)", line.split()[-1]))


def virtio_name(machine, number):
    """What Linux calls the device with that number of Virtio's (1.2, 5)."""
    found = machine.run(f"cd /sys/bus/virtio/devices; grep -l 0x{number:04x} */device; cd").split("/")
    return found[0]


def test_virtio_console_both_ways(boot):
    machine = boot(virtio_console=True, cmdline="console=hvc0")
    machine.wait_shell()
    assert machine.run("tty; cat /sys/class/tty/console/active") == "/dev/hvc0\nttyS0 hvc0\n"
    console = virtio_name(machine, 3)
    before = interrupts(machine, console)
    test_a_long_paste_arrives_whole(machine)
    test_a_lot_of_output_arrives_whole(machine)
    test_line_editing(machine)
    test_ctrl_c_ends_a_program(machine)
    assert interrupts(machine, console) > before + 100, "what was typed came some other way"
    machine.send("exit\r")
    assert machine.wait_end() == 0


def test_virtio_entropy(shell):
    source = virtio_name(shell, 4)
    assert shell.run("cat /sys/class/misc/hw_random/rng_current") == "virtio_rng.0\n"
    before = interrupts(shell, source)
    shell.run("for n in 1 2; do dd if=/dev/hwrng of=/tmp/r$n bs=4096 count=4 iflag=fullblock 2>/dev/null; done")
    sizes = shell.run("cmp -s /tmp/r1 /tmp/r2 && echo same; for n in 1 2; do "
                      "gzip -c /tmp/r$n | wc -c; hexdump -v -e '/1 \"%u\\n\"' /tmp/r$n | sort -u | wc -l; done")
    small, values = sizes.split()[::2], sizes.split()[1::2]
    assert all(int(size) > 16384 for size in small), "what is random cannot be compressed"
    assert values == ["256", "256"], "in 16384 random bytes each value occurs"
    assert interrupts(shell, source) > before
    shell.run("rm /tmp/r1 /tmp/r2")


# Boots.

def assert_translation(machine, mode):
    assert machine.expect(r"\nmmu\s*: (\S+)\r", BOOT_SECONDS).group(1) == mode
    assert machine.wait_end() == 0


SHOW_MODE = 'duomo.run="grep mmu /proc/cpuinfo"'


def test_power_off_ends_the_machine(boot):
    machine = boot(cmdline='duomo.run="echo 6 7 * p | dc"')
    machine.expect_text("\n42\r\n", BOOT_SECONDS)
    machine.expect_text("duomo: exit 0")
    assert machine.wait_end() == 0


def test_leaving_the_shell_ends_the_machine(boot):
    machine = boot()
    machine.wait_shell()
    machine.send("exit\r")
    assert machine.wait_end() == 0


def test_reboot_boots_again(boot):
    machine = boot()
    machine.wait_shell()
    machine.run("touch /root/before")
    machine.send("reboot -f\r")
    machine.wait_shell()
    machine.run("test -e /root/before", status=1)       # a fresh system, not the old one
    machine.send("poweroff -f\r")
    assert machine.wait_end() == 0


@pytest.mark.parametrize("word, mode", [("no5lvl", "sv48"), ("no4lvl", "sv39")])
def test_fewer_levels_because_the_kernel_says_so(boot, word, mode):
    assert_translation(boot(cmdline=f"{word} {SHOW_MODE}"), mode)


@pytest.mark.parametrize("cpu, mode", [("sv57=off", "sv48"), ("sv48=off,sv57=off", "sv39")])
def test_fewer_levels_because_the_hart_has_no_more(boot, cpu, mode):
    assert_translation(boot(cpu=cpu, cmdline=SHOW_MODE), mode)


def test_few_shadow_pages_are_slow_but_right(boot, busybox):
    machine = boot(shadow_pages=16, cmdline='duomo.run="sha256sum /bin/busybox; seq 1 500 | md5sum"')
    machine.expect_text(sha256(busybox.read_bytes()), 3 * BOOT_SECONDS)
    numbers = "".join(f"{n}\n" for n in range(1, 501))
    machine.expect_text(hashlib.md5(numbers.encode()).hexdigest())
    assert machine.wait_end() == 0
