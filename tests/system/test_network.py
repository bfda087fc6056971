# SPDX-License-Identifier: MIT
#
# Two Linux machines at the switch, and the network outside: as a user starts them.
#
# In:     build/duomo, build/duomo.elf, the kernel and the initial file system (conftest.py).
# Out:    what the machines print, what the monitor's `net` says, what a forwarded port answers.
# Always: no QEMU is left.

import socket
import time

from debian import free_port
from test_many import Run, config_write, vm_text

SECONDS = 150
BYTES = 3000000

# `b` answers at port 7000 with what it is sent.
SERVER = ("ifconfig eth0 10.0.2.22 up; route add default gw 10.0.2.2; "
          "nc -ll -p 7000 -e cat & sleep 600")
CLIENT = ("ifconfig eth0 10.0.2.21 up; "
          "until ping -c 1 -W 1 10.0.2.22 > /dev/null; do :; done; echo to_b; "
          "ping -c 1 -W 5 10.0.2.2 > /dev/null && echo to_outside; "
          f"head -c {BYTES} /dev/urandom > /tmp/x; md5sum < /tmp/x > /tmp/sum; "
          f"nc 10.0.2.22 7000 < /tmp/x | head -c {BYTES} | md5sum | cmp - /tmp/sum && echo same_bytes; "
          "echo done_with_it; sleep 600")


def answer_from(port, text, seconds):
    """What comes back from the forwarded port; the guest behind it may still be booting."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=20) as s:
                s.sendall(text)
                got = s.recv(100)
                if got:
                    return got
        except OSError:
            pass
        time.sleep(1)
    return b""


def vm(name, kernel, initrd, command, network):
    return vm_text(name, kernel, f'console=ttyS0 TERM=dumb quiet duomo.run="{command}"',
                   f"initrd: {initrd}", "memory: 128M", f"network: {network}")


def with_outside(path, port, address):
    """The board has a network card, and a port of this computer leads to that address's 7000."""
    path.write_text(path.read_text().replace(
        "vms:", f"  network: yes\n  forward: ['{port}:{address}:7000']\nvms:", 1))


def sent_by(run, name):
    """Frames that a machine has sent, as the monitor's `net` says."""
    answer = run.ask("net") or {"ports": []}
    return sum(port["sent_frames"] for port in answer["ports"] if port["port"] == name)


def shows(run, word, seconds=SECONDS):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if word in run.shown().split():
            return True
        time.sleep(0.5)
    return False


def test_two_machines_and_the_outside(duomo, kernel, initrd, tmp_path, bare):
    port = free_port()
    path = config_write(tmp_path / "two.yaml", 1,
                        [vm("a", kernel, initrd, CLIENT, "yes"), vm("b", kernel, initrd, SERVER, "yes")], "1G")
    with_outside(path, port, "10.0.2.22")
    run = Run(duomo, path)
    try:
        for word in ("to_b", "to_outside", "same_bytes", "done_with_it"):
            assert shows(run, word), f"{word} is missing in:\n{run.shown()[-2000:]}"
        assert answer_from(port, b"hello\n", 60) == b"hello\n"
    finally:
        run.process.terminate()
        run.process.wait()


# One in another VLAN and one that is isolated are up, and yet `a` does not hear them.
def test_machines_kept_apart(duomo, kernel, initrd, tmp_path, bare):
    asks = ("ifconfig eth0 10.0.2.21 up; while :; do "
            "ping -c 1 -W 1 10.0.2.22 > /dev/null && echo heard_b; "
            "ping -c 1 -W 1 10.0.2.23 > /dev/null && echo heard_c; echo round; done")
    port = free_port()
    path = config_write(tmp_path / "apart.yaml", 1, [
        vm("a", kernel, initrd, asks, "yes"),
        vm("b", kernel, initrd, SERVER, "{vlan: 7}"),
        vm("c", kernel, initrd, SERVER.replace("10.0.2.22", "10.0.2.23"), "{isolated: yes}")], "1G")
    with_outside(path, port, "10.0.2.23")
    run = Run(duomo, path)
    try:
        assert answer_from(port, b"hello\n", SECONDS) == b"hello\n", "the isolated one reaches the outside"
        run.wait_for(lambda: sent_by(run, "b"), "b has sent nothing")
        rounds = run.shown().split().count("round")
        run.wait_for(lambda: run.shown().split().count("round") > rounds + 5, "a does not go on asking")
        assert "heard_b" not in run.shown() and "heard_c" not in run.shown()
    finally:
        run.process.terminate()
        run.process.wait()
