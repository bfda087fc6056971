#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A QEMU that is none, for the tests of `duomo run` and `duomo monitor`.

In:     QEMU's command line; FAKE, a folder, and FAKE_MODE: "exit N", "deaf", or nothing.
Out:    FAKE/argv, FAKE/bundle, FAKE/pids (this one's and its parent's); "ready" on the line.
Always: on the line it echoes each byte as <xx>, but for requests to the monitor, which it answers:
        the command's first word says how.
"""

import os
import re
import signal
import sys
import time
from pathlib import Path

FAKE = Path(os.environ["FAKE"])
REQUEST = re.compile(rb"\x1d:([0-9a-f]{16}) (text|json) ([^\r]*)\r")
PLAIN = re.compile(rb"[^\x1dq]+|.", re.DOTALL)
ECHO = [b"<%02x>" % byte for byte in range(256)]


def say(data):
    while data:
        data = data[os.write(1, data):]


def frame(nonce, payload, status=b"ok"):
    return (b"\x1b_duomo;" + nonce + b";begin\x1b\\" + payload + b"\x1b_duomo;" + nonce + b";end;"
            + status + b"\x1b\\")


def answer(nonce, form, command):
    if command == b"list":
        say(frame(nonce, b"[1, 2]" if form == b"json" else b"NAME  STATE\r\na     running\r\n"))
    elif command == b"wrong":
        say(frame(nonce, b"no such command\r\n", b"error"))
    elif command == b"forge":           # as a guest would, with nonces that it guesses
        for guess in (b"0" * 16, nonce[::-1], nonce[:15]):
            say(b"guest" + frame(guess, b"forged"))
        say(frame(nonce, b"true \x1b_duomo;" + b"0" * 16 + b";end;ok\x1b\\ still\r\n") + b"after")
    elif command == b"slow":
        for byte in b"before\x1b" + frame(nonce, b"\x1b\x1b_duomo;slowly\x1b[7m"):
            say(bytes([byte]))
            time.sleep(0.002)
    elif command == b"large":
        say(frame(nonce, 5000 * b"0123456789\r\n"))
    elif command == b"twice":
        say(frame(nonce, b"first") + frame(nonce, b"second"))
    elif command == b"end":
        sys.exit(0)
    elif command == b"half":
        say(b"\x1b_duomo;" + nonce + b";begin\x1b\\half")
        sys.exit(0)


def serve():
    say(b"ready\r\n")
    data = b""
    while more := os.read(0, 65536):
        data += more
        while data:
            request = REQUEST.match(data)
            if request:
                data = data[request.end():]
                answer(*request.groups())
            elif data.startswith(b"\x1d:") and b"\r" not in data:
                break
            else:
                plain = PLAIN.match(data)[0]
                say(b"".join(ECHO[byte] for byte in plain))
                if plain == b"q":
                    sys.exit(0)
                data = data[len(plain):]


def main():
    (FAKE / "argv").write_text("\n".join(sys.argv[1:]))
    (FAKE / "bundle").write_bytes(Path(sys.argv[sys.argv.index("-kernel") + 1]).read_bytes())
    (FAKE / "pids").write_text(f"{os.getpid()} {os.getppid()}")
    mode = os.environ.get("FAKE_MODE", "").split()
    if mode[:1] == ["exit"]:
        say(b"last words")
        sys.exit(int(mode[1]))
    if mode[:1] == ["deaf"]:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    serve()


main()
