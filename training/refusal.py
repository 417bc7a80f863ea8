"""Which errors are answers to bad input, to be told in one line, and which are faults of ours."""

import linecache

from envs.errors import LaunchError

OURS = {"agent", "envs", "policies", "training"}

_OF_FILES = (
    FileExistsError,
    FileNotFoundError,
    IsADirectoryError,
    NotADirectoryError,
    PermissionError,
)


def is_refusal(error: BaseException) -> bool:
    """Return whether to tell an error in a line; any other is to be looked into.

    Files that are not there, not to be read, or something else than they should be are told, games
    that do not start, and a ``ValueError`` that our own code raised on purpose.
    """
    if isinstance(error, (*_OF_FILES, LaunchError)):
        return True
    traceback = error.__traceback__
    if not isinstance(error, ValueError) or traceback is None:
        return False
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    code, names = traceback.tb_frame.f_code, traceback.tb_frame.f_globals
    line = linecache.getline(code.co_filename, traceback.tb_lineno, names).strip()
    return names["__name__"].partition(".")[0] in OURS and line.startswith("raise ")
