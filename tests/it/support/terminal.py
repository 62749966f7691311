"""Runs a program at a terminal of its own: COLUMNS PROGRAM ARGUMENT…

What comes on standard input is typed there; what the terminal shows goes to standard output. Keys after a NUL are
typed once the terminal does not show them, as a person waits who is asked for a password.
"""

import fcntl
import os
import pty
import select
import struct
import sys
import termios
import time

columns, program = int(sys.argv[1]), sys.argv[2:]
pid, terminal = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    os.execv(program[0], program)

sources = [terminal, 0]
while terminal in sources:
    for source in select.select(sources, [], [])[0]:
        try:
            piece = os.read(source, 65536)
        except OSError:  # how the end of a terminal shows on Linux
            piece = b""
        if not piece:
            sources.remove(source)
        elif source == terminal:
            os.write(1, piece)
        else:
            secret = piece.startswith(b"\0")
            while secret and termios.tcgetattr(terminal)[3] & termios.ECHO:
                time.sleep(0.005)
            os.write(terminal, piece.removeprefix(b"\0"))

sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) & 0xFF)
