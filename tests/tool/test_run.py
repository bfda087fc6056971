# SPDX-License-Identifier: MIT
#
# The commands `duomo run` and `duomo monitor`, from outside, with a QEMU that is none.
#
# In:     build/duomo, or the one that the environment variable DUOMO names; tests/tool/fake_qemu.py.
# Out:    what a user sees, what QEMU is told, who is left at the end.
# Always: whatever way it ends, no process is left, the terminal is as it was, and the control
#         socket is gone.

import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pexpect
import pytest

from files import DUOMO, MIB, duomo, image, tree

FAKE = Path(__file__).with_name("fake_qemu.py")
SECONDS = 20


def until(condition, seconds=SECONDS):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


class Here:
    """A folder with a kernel, a configuration and a control folder of its own."""

    def __init__(self, path):
        self.path, self.started = path, []
        (path / "Image").write_bytes(image())
        (path / "duomo.elf").write_bytes(b"monitor")
        (path / "run").mkdir()
        self.file("vms:\n  - {name: alpha, kernel: Image, memory: 64M}\n")
        self.environment = {**os.environ, "FAKE": str(path), "XDG_RUNTIME_DIR": str(path / "run")}

    def file(self, text, name="mix.yaml"):
        (self.path / name).write_text(text)

    def command(self, *args):
        return ["run", *(args or ["mix.yaml"]), "--monitor", "duomo.elf", "--qemu", FAKE]

    def run(self, *args, mode="", stdin=subprocess.DEVNULL, **how):
        """To its end."""
        return duomo(self.path, *self.command(*args), env={**self.environment, "FAKE_MODE": mode},
                     **({"stdin": stdin} if "input" not in how else {}), **how)

    def start(self, *args, mode="", **how):
        """Until the machine is ready."""
        process = subprocess.Popen([DUOMO, *map(str, self.command(*args))], cwd=self.path,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE,
                                   env={**self.environment, "FAKE_MODE": mode}, **how)
        self.started.append(process)
        assert process.stdout.readline() == b"ready\r\n"
        return process

    def shell(self, script, mode=""):
        """A script at a terminal, in which `$D` is the command."""
        command = " ".join(map(str, [DUOMO, *self.command()]))
        return pexpect.spawn("bash", ["-c", script.replace("$D", command)], cwd=self.path,
                             timeout=SECONDS, echo=True,
                             env={**self.environment, "FAKE_MODE": mode})

    def pids(self):
        """QEMU's, and that of who started it."""
        until(lambda: (self.path / "pids").exists() and (self.path / "pids").read_text())
        return [int(pid) for pid in (self.path / "pids").read_text().split()]

    def argv(self):
        return (self.path / "argv").read_text().split("\n")

    def sockets(self):
        return sorted(path.name for path in (self.path / "run").rglob("*.sock"))

    def ask(self, *args, **how):
        return duomo(self.path, "monitor", *args, env=self.environment, **how)

    def is_clean(self):
        until(lambda: not any(alive(pid) for pid in self.pids()))
        return not self.sockets()


@pytest.fixture
def here(tmp_path):
    found = Here(tmp_path)
    yield found
    for process in found.started:
        process.kill()
        process.wait()


def quit_machine(process):
    out, error = process.communicate(b"q", timeout=SECONDS)
    assert process.returncode == 0 and error == b""
    return out


# What QEMU is told.

def test_command_line(here):
    result = here.run(mode="exit 0")
    assert (result.returncode, result.stdout, result.stderr) == (0, "last words", "")
    argv = here.argv()
    kernel = argv[argv.index("-kernel") + 1]
    assert argv == ["-M", "virt", "-cpu", "rv64,h=false", "-smp", "1", "-m", "192M", "-display",
                    "none", "-monitor", "none", "-serial", "stdio", "-no-reboot", "-bios",
                    "duomo.elf", "-kernel", kernel, "-global", "virtio-mmio.force-legacy=false",
                    "-device", "virtio-rng-device"]
    vms = tree((here.path / "bundle").read_bytes())["vms"]
    assert vms["alpha"]["memory"] == (64 * MIB).to_bytes(8, "big")
    assert here.is_clean()


def told(here, option):
    assert here.run(mode="exit 0").returncode == 0
    return here.argv()[here.argv().index(option) + 1]


def test_machine_of_the_file(here):
    here.file("machine: {harts: 3, memory: 1G}\nvms: [{name: a, kernel: Image}]\n")
    assert told(here, "-smp") == "3" and told(here, "-m") == "1024M"


def test_machine_that_the_vms_need(here):
    here.file("vms: [{name: a, kernel: Image, harts: [0, 5]}, {name: b, kernel: Image}]\n")
    assert told(here, "-smp") == "6"
    assert 512 + 8 < int(told(here, "-m")[:-1]) <= 1024


def test_machine_of_the_options(here):
    assert here.run("mix.yaml", "--harts", "4", "--machine-memory", "512M", "--qemu-option", "-s",
                    "--qemu-option=-S", mode="exit 0").returncode == 0
    argv = here.argv()
    assert argv[argv.index("-smp") + 1] == "4" and argv[argv.index("-m") + 1] == "512M"
    assert argv[-2:] == ["-s", "-S"]


def io_words(here, *args):
    """What QEMU is told of disk and network."""
    result = here.run(*args, mode="exit 0")
    assert (result.returncode, result.stderr) == (0, "")
    argv = here.argv()
    return argv[argv.index("virtio-rng-device") + 1:]


def disk_make(here, name, *args):
    assert duomo(here.path, "disk", "create", name, "--partition", "root:1M", *args).returncode == 0


DISK_WORDS = ["-drive", "if=none,id=disk,format=raw,discard=unmap,rerror=report,werror=report,file={}",
              "-device", "virtio-blk-device,drive=disk,queue-size=512"]


def with_path(path, more=""):
    return [DISK_WORDS[0], DISK_WORDS[1].format(path), DISK_WORDS[2], DISK_WORDS[3] + more]


def test_disk_of_the_file(here):
    (here.path / "sub").mkdir()
    disk_make(here, "sub/a,b.img")
    (here.path / "sub" / "Image").write_bytes(image())
    here.file("machine: {disk: 'a,b.img'}\nvms: [{name: a, kernel: Image, disk: root}]\n", "sub/f.yaml")
    assert io_words(here, "sub/f.yaml") == with_path("sub/a,,b.img")
    vms = tree((here.path / "bundle").read_bytes())["vms"]
    assert vms["a"]["disk-partition"] == b"root\0"
    here.file(f"machine: {{disk: '{here.path}/sub/a,b.img'}}\n"
              "vms: [{name: a, kernel: Image, disk: root}]\n")
    assert io_words(here) == with_path(f"{here.path}/sub/a,,b.img")


def test_disk_of_the_options(here):
    disk_make(here, "large.img", "--sector-size", "4096")
    words = with_path("large.img", ",logical_block_size=4096,physical_block_size=4096")
    assert io_words(here, "--kernel", "Image", "--disk", "large.img", "--partition", "root") == words
    here.file("machine: {disk: nowhere}\nvms: [{name: a, kernel: Image, disk: root}]\n")
    assert io_words(here, "mix.yaml", "--disk", "large.img") == words


def test_network(here):
    net = ["-netdev", "user,id=net", "-device", "virtio-net-device,netdev=net"]
    assert io_words(here, "mix.yaml", "--network") == net
    assert "net-mac" not in tree((here.path / "bundle").read_bytes())["vms"]["alpha"]
    assert io_words(here, "--kernel", "Image", "--network") == net
    assert "net-mac" in tree((here.path / "bundle").read_bytes())["vms"]["vm"]
    net[1] += ",hostfwd=tcp:127.0.0.1:2222-10.0.2.15:22,hostfwd=tcp:127.0.0.1:80-10.0.2.16:80"
    here.file("machine: {network: yes, forward: [2222:10.0.2.15:22, 80:10.0.2.16:80]}\n"
              "vms: [{name: a, kernel: Image, network: yes}]\n")
    assert io_words(here) == net
    net[1] = "user,id=net,hostfwd=tcp:127.0.0.1:8080-10.0.2.15:80"
    assert io_words(here, "mix.yaml", "--forward", "8080:10.0.2.15:80") == net


def test_without_a_file(here):
    result = here.run("--kernel", "Image", "--memory", "32M", "--cmdline", "x y", "--name", "solo",
                      mode="exit 0")
    assert result.returncode == 0
    solo = tree((here.path / "bundle").read_bytes())["vms"]["solo"]
    assert solo["bootargs"] == b"x y\0" and solo["memory"] == (32 * MIB).to_bytes(8, "big")


@pytest.mark.parametrize("args, said", [
    (["mix.yaml", "--machine-memory", "64M"], "--machine-memory: the virtual machines and what they boot take 64.1 MiB; "),
    (["two.yaml", "--harts", "1"], "--harts: a machine names hart 2; give at least 3"),
    (["mix.yaml", "--harts", "65"], "--harts: 65 is out of range; 1 to 64 would be right"),
    (["mix.yaml", "--memory", "64M"], "run: both a file and --memory are given; "),
    (["mix.yaml", "--monitor", "nowhere"], "nowhere: No such file or directory; build it with make, "),
    (["mix.yaml", "--qemu", "/nowhere"], "/nowhere: not found; install it with tools/deps.sh run, "),
    (["mix.yaml", "--forward", "22:10.0.2.15:22"], "--forward: the board has no network; add --network"),
    (["mix.yaml", "--network", "--forward", "x"], "--forward: 'x' is no PORT:ADDRESS:PORT; "),
    (["mix.yaml", "--disk", "nowhere"], "nowhere: No such file or directory; give an image of a disk, "),
    (["--kernel", "Image", "--partition", "root"], "--partition: the board has no disk; add --disk FILE, "),
    ([], "run: no kernel is named; add --kernel FILE, or name a configuration file"),
])
def test_refusals(here, args, said):
    here.file("vms: [{name: a, kernel: Image, harts: [2]}]\n", "two.yaml")
    result = duomo(here.path, "run", "--monitor", "duomo.elf", "--qemu", FAKE, *args,
                   env=here.environment)
    assert result.returncode == 1 and result.stdout == ""
    assert result.stderr.startswith("duomo: " + said) and result.stderr.count("\n") == 1
    assert not here.sockets() and not (here.path / "argv").exists()


def test_a_disk_that_is_missing_has_a_line(here):
    here.file("vms:\n  - {name: a, kernel: Image}\n  - {name: b, kernel: Image, disk: root}\n")
    assert here.run().stderr == "mix.yaml:3: disk: the board has no disk; add --disk FILE, " \
        "or 'disk: FILE' to 'machine:'\n"
    assert not (here.path / "argv").exists()


def test_memory_that_is_too_little_has_a_line(here):
    here.file("machine:\n  memory: 130M\nvms: [{name: a, kernel: Image, memory: 128M}]\n")
    assert here.run().stderr.startswith("mix.yaml:2: memory: the virtual machines ")


def test_the_monitor_is_beside_the_tool(here):
    (here.path / "bin").mkdir()
    tool = here.path / "bin" / "duomo"
    tool.write_bytes(Path(DUOMO).read_bytes())
    tool.chmod(0o755)
    args = [tool, "run", "mix.yaml", "--qemu", FAKE]
    how = {"cwd": here.path, "env": {**here.environment, "FAKE_MODE": "exit 0"}, "timeout": SECONDS,
           "capture_output": True, "text": True, "stdin": subprocess.DEVNULL, "check": False}
    result = subprocess.run(args, **how)
    assert f"{here.path}/bin/duomo.elf: No such file" in result.stderr and result.returncode == 1
    (here.path / "bin" / "duomo.elf").touch()
    assert subprocess.run(args, **how).returncode == 0
    assert here.argv()[here.argv().index("-bios") + 1] == f"{here.path}/bin/duomo.elf"


# Without a terminal.

@pytest.mark.parametrize("code", [0, 1, 3, 255])
def test_exit_code_is_that_of_qemu(here, code):
    assert here.run(mode=f"exit {code}").returncode == code


def test_bytes_go_both_ways(here):
    sent = bytes(byte for byte in range(256) if byte not in (0x1D, ord("q")))
    out, _ = here.start().communicate(sent + b"q", timeout=SECONDS)
    assert out == b"".join(b"<%02x>" % byte for byte in sent + b"q")
    assert here.is_clean()


def test_much_input(here):
    process = here.start()
    out, _ = process.communicate(3000000 * b"a" + b"q", timeout=SECONDS)
    assert out.count(b"<61>") == 3000000 and process.returncode == 0


def test_end_of_input_is_not_the_end(here):
    process = here.start()
    process.stdin.close()
    time.sleep(0.3)
    assert process.poll() is None
    assert here.ask("-c", "end").returncode == 1
    assert process.wait(SECONDS) == 0 and here.is_clean()


def test_escape_at_the_end_of_input_is_sent(here):
    process = here.start()
    process.stdin.write(b"\x1d")
    process.stdin.close()
    assert process.stdout.read(4) == b"<1d>"


def test_escape_x_ends_it(here):
    process = here.start()
    out, _ = process.communicate(b"a\x1d\x1d\x1dm\x1dxzzz", timeout=SECONDS)
    assert out.startswith(b"<61>"[:len(out)]) and b"<78>" not in out and b"<7a>" not in out
    assert here.is_clean()


def test_escape_goes_to_the_machine_with_its_key(here):
    process = here.start()
    process.stdin.write(b"\x1d")
    process.stdin.flush()
    time.sleep(0.2)
    process.stdin.write(b"1\x1d\x1d")
    process.stdin.flush()
    assert process.stdout.read(16) == b"<1d><31><1d><1d>"
    quit_machine(process)


@pytest.mark.parametrize("which", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT])
@pytest.mark.parametrize("mode", ["", "deaf"])
def test_signal_ends_both(here, which, mode):
    process = here.start(mode=mode)
    process.send_signal(which)
    assert process.wait(SECONDS) == -which
    assert here.is_clean()


def test_signal_ends_both_while_nobody_takes_the_output(here):
    process = here.start()
    keys = process.stdin.fileno()
    os.set_blocking(keys, False)

    def takes_keys():
        try:
            return os.write(keys, 4096 * b"a")
        except BlockingIOError:
            return 0

    until(lambda: not takes_keys() and not (time.sleep(0.3) or takes_keys()))   # neither side takes more
    process.terminate()
    assert process.wait(SECONDS) == -signal.SIGTERM
    assert here.is_clean()


def test_kill_ends_both(here):
    process = here.start()
    process.kill()
    process.wait()
    until(lambda: not alive(here.pids()[0]))


def test_reader_that_goes_away(here):
    process = here.start()
    process.stdout.close()
    process.stdin.write(b"abc")
    process.stdin.flush()
    process.wait(SECONDS)
    assert here.is_clean()


def test_hangup_that_is_ignored_stays_ignored(here):
    process = here.start(preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    process.send_signal(signal.SIGHUP)
    time.sleep(0.2)
    assert process.poll() is None
    quit_machine(process)


# At a terminal.

MODES = "stty -g; $D; echo code $?; stty -g"


def ends(shell):
    """Waits for the script's end. The exit code and whether the terminal is as it was."""
    shell.expect(r"code (\d+)\r\n([0-9a-f:]+)\r\n")
    code, after = int(shell.match[1]), shell.match[2].decode()
    shell.expect(pexpect.EOF)
    return code, after


def at_terminal(here, mode=""):
    shell = here.shell(MODES, mode)
    shell.expect(r"([0-9a-f:]+)\r\n")
    before = shell.match[1].decode()
    shell.expect("ready\r\n")
    return shell, before


def test_terminal_is_raw_and_then_as_it_was(here):
    shell, before = at_terminal(here)
    shell.send("\x03\x1a\x11\r")
    shell.expect("<03><1a><11><0d>")
    shell.send("q")
    assert ends(shell) == (0, before) and here.is_clean()


def test_escape_x_at_a_terminal(here):
    shell, before = at_terminal(here)
    shell.send("\x1dx")
    code, after = ends(shell)
    assert after == before and here.is_clean()


@pytest.mark.parametrize("which, code", [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_signal_at_a_terminal(here, which, code):
    shell, before = at_terminal(here)
    os.kill(here.pids()[1], which)
    if which == signal.SIGINT:          # and then bash ends, too
        until(lambda: not alive(here.pids()[1]))
    else:
        assert ends(shell) == (code, before)
    assert here.is_clean()


def test_terminal_that_closes(here):
    shell = here.shell("exec $D")
    shell.expect("ready\r\n")
    shell.close(force=False)
    assert here.is_clean()


def test_terminal_that_is_gone_without_a_signal(here):
    shell = here.shell("trap '' HUP; exec $D")
    shell.expect("ready\r\n")
    os.close(shell.child_fd)
    assert here.is_clean()


# The control socket.

def test_monitor_command(here):
    process = here.start()
    assert here.sockets() == ["mix.sock"]
    result = here.ask("-c", "list")
    assert (result.returncode, result.stdout, result.stderr) == \
        (0, "NAME  STATE\na     running\n", "")
    result = here.ask("-c", "list", "--json", "--to", "mix")
    assert (result.returncode, result.stdout, result.stderr) == (0, "[1, 2]\n", "")
    result = here.ask("-c", "wrong")
    assert (result.returncode, result.stdout, result.stderr) == (1, "", "no such command\n")
    assert quit_machine(process) == b"<71>", "no frame reaches the terminal"
    assert here.is_clean()


def test_monitor_lines(here):
    process = here.start()
    result = here.ask(input="list\n\nwrong\nlist\n")
    assert result.returncode == 1 and result.stderr == "no such command\n"
    assert result.stdout == 2 * "NAME  STATE\na     running\n"
    assert here.ask(input="list").returncode == 0
    quit_machine(process)


def test_forged_frames_are_guests_output(here):
    process = here.start()
    result = here.ask("-c", "forge")
    assert result.returncode == 0
    assert result.stdout == "true ?_duomo;0000000000000000;end;ok?\\ still\n"
    out = quit_machine(process)
    assert out.count(b"guest\x1b_duomo;") == 3 and out.count(b"forged\x1b_duomo;") == 3
    assert out.endswith(b"after<71>") and b"true" not in out


def test_frame_in_pieces(here):
    process = here.start()
    result = here.ask("-c", "slow")
    assert (result.returncode, result.stdout) == (0, "??_duomo;slowly?[7m\n")
    assert quit_machine(process) == b"before\x1b<71>"


def test_large_answer(here):
    process = here.start()
    assert here.ask("-c", "large").stdout == 5000 * "0123456789\n"
    assert quit_machine(process) == b"<71>"


def test_an_answer_counts_once(here):
    process = here.start()
    assert here.ask("-c", "twice").stdout == "first\n"
    assert here.ask("-c", "list").stdout.startswith("NAME")
    assert re.fullmatch(rb"\x1b_duomo;.*second.*<71>", quit_machine(process), re.DOTALL)


@pytest.mark.parametrize("command", ["end", "half"])
def test_machine_that_ends_meanwhile(here, command):
    process = here.start()
    result = here.ask("-c", command)
    assert result.returncode == 1
    assert result.stderr == "duomo: monitor: the machine does not answer; has it ended?\n"
    assert process.wait(SECONDS) == 0 and here.is_clean()


def test_monitor_that_does_not_answer(here):
    process = here.start()
    result = here.ask("-c", "silence")
    assert result.returncode == 1
    assert result.stderr == "the monitor does not answer; is the machine stopped?\n"
    assert here.ask("-c", "list").returncode == 0
    quit_machine(process)


def test_many_ask_at_once(here):
    process = here.start()
    asking = [subprocess.Popen([DUOMO, "monitor", "-c", "large"], env=here.environment,
                               stdout=subprocess.PIPE) for _ in range(6)]
    for asker in asking:
        assert asker.communicate(timeout=SECONDS)[0] == 5000 * b"0123456789\n"
    quit_machine(process)


def test_requests_do_not_come_between_escape_and_its_key(here):
    process = here.start()
    process.stdin.write(b"\x1d")
    process.stdin.flush()
    assert here.ask("-c", "list").returncode == 0
    process.stdin.write(b"2")
    process.stdin.flush()
    assert process.stdout.read(8) == b"<1d><32>"
    quit_machine(process)


@pytest.mark.parametrize("command, said", [
    ("a\rb", "odd character"), ("a\x1db", "odd character"), ("", "1 to 500"), ("x" * 501, "at most 500")])
def test_command_that_is_none(here, command, said):
    process = here.start()
    result = here.ask("-c", command)
    assert result.returncode == 1 and said in result.stderr
    assert quit_machine(process) == b"<71>"


def test_which_machine(here):
    result = here.ask("-c", "list")
    assert result.returncode == 1
    assert result.stderr == "duomo: monitor: no machine runs; start one with 'duomo run FILE'\n"

    first, second = here.start(), here.start("--kernel", "Image", "--name", "solo")
    third = here.start()
    assert here.sockets() == ["mix-2.sock", "mix.sock", "solo.sock"]
    result = here.ask("-c", "list")
    assert result.returncode == 1 and result.stderr.startswith("duomo: monitor: several machines run (")
    assert all(name in result.stderr for name in ("mix", "mix-2", "solo", "--to NAME"))
    assert here.ask("-c", "list", "--to", "solo").returncode == 0
    assert "no machine 'nobody' runs; there is " in here.ask("-c", "list", "--to", "nobody").stderr
    assert "no machine '../x' runs" in here.ask("-c", "list", "--to", "../x").stderr
    for process in (first, second, third):
        quit_machine(process)
    assert not here.sockets()


def test_socket_that_was_left(here):
    process = here.start()
    process.kill()
    process.wait()
    assert here.sockets() == ["mix.sock"]
    assert "no machine runs" in here.ask("-c", "list").stderr
    process = here.start()
    assert here.sockets() == ["mix.sock"] and here.ask("-c", "list").returncode == 0
    quit_machine(process)


def test_control_folder_of_somebody_else(here):
    folder = here.path / "run" / f"duomo-{os.getuid()}"
    folder.mkdir(mode=0o777)
    folder.chmod(0o777)
    process = here.start()
    out, error = process.communicate(b"q", timeout=SECONDS)
    assert process.returncode == 0 and out == b"<71>"
    assert b"'duomo monitor' will not reach this machine; set XDG_RUNTIME_DIR" in error


def test_control_folder_is_private(here):
    process = here.start()
    assert (here.path / "run" / f"duomo-{os.getuid()}").stat().st_mode & 0o777 == 0o700
    quit_machine(process)
