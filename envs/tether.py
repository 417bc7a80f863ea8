"""Becomes another program, one that the system kills when the process that started it ends.

``python tether.py PARENT PROGRAM ARGUMENT...``, on Linux alone. It is a program of its own and no
function to be called between fork and exec: Python is not safe there in a process with threads.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h
COULD_NOT_START = 127  # as shells have it


def main() -> None:
    """Tie this process to its parent and become the program."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:  # it ended before it could be heard
        sys.exit(COULD_NOT_START)
    try:
        os.execv(command[0], command)
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        sys.exit(COULD_NOT_START)


if __name__ == "__main__":
    main()
