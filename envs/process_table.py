"""What Linux tells of running programs; other systems tell nothing, and get empty answers.

Programs end while one reads about them, so each of these reads what is still there.
"""

import os
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")
_SESSION = 3  # the place after the name in /proc/PID/stat: proc(5)
_RESIDENT = 1  # the place in /proc/PID/statm
_LISTENS = "0A"  # the state of a socket in /proc/net/tcp


def session_members(session: int) -> list[int]:
    """Return the processes of a session."""
    return [int(path.name) for path in _PROC.glob("[0-9]*") if _session(path) == session]


def memory_bytes(pid: int) -> int:
    """Return what a process holds in memory."""
    with suppress(OSError):
        pages = int((_PROC / str(pid) / "statm").read_text().split()[_RESIDENT])
        return pages * os.sysconf("SC_PAGE_SIZE")
    return 0


def listeners(port: int) -> set[str]:
    """Return the sockets that listen on a port of IPv4, as ``open_files`` names them."""
    sockets = set()
    with suppress(OSError):
        for line in (_PROC / "net" / "tcp").read_text().splitlines()[1:]:
            _, local, _, state, _, _, _, _, _, inode, *_ = line.split()
            if state == _LISTENS and int(local.rpartition(":")[2], 16) == port:
                sockets.add(f"socket:[{inode}]")
    return sockets


def open_files(pid: int) -> set[str]:
    """Return the names of what a process has open."""
    files = set()
    with suppress(OSError):
        for link in (_PROC / str(pid) / "fd").iterdir():
            with suppress(OSError):
                files.add(str(link.readlink()))
    return files


def _session(process: Path) -> int | None:
    with suppress(OSError):
        # The name, in parentheses, may hold anything.
        _, _, rest = (process / "stat").read_text(errors="replace").rpartition(")")
        return int(rest.split()[_SESSION])
    return None
