"""What tyro has against the options of a command, in one line instead of a box."""

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr
from io import StringIO
from typing import TypeVar

_Read = TypeVar("_Read")

_BORDER = "│|╭╮╰╯+ "
_RULE = frozenset("─-")
_LEFT_OUT = ("For full helptext", "Argument helptext")
_IN_OUR_WORDS = (
    (r"Error parsing ", ""),
    (r"Missing from .*?: ", "missing: "),
    (r"invalid literal for int\(\) with base 10: (.*)", r"must be a whole number, got \1"),
    (r"could not convert string to float: (.*)", r"must be a number, got \1"),
)


class OptionsRefusedError(Exception):
    """The options are not what the command takes; the message says why, in a line."""


def read_options(read: Callable[[], _Read]) -> _Read:
    """Return what tyro makes of the options.

    Args:
        read: calls tyro, which prints its box and exits where it refuses.

    Raises:
        OptionsRefusedError: it refuses.
        SystemExit: it has shown the help.
    """
    printed = StringIO()
    try:
        with redirect_stderr(printed):
            result = read()
    except SystemExit as end:
        if not end.code:
            raise
        cause = end.__context__  # what a configuration has against its values
        reason = str(cause) if isinstance(cause, ValueError) else _in_one_line(printed.getvalue())
        raise OptionsRefusedError(reason) from end
    sys.stderr.write(printed.getvalue())
    return result


def _in_one_line(box: str) -> str:
    """Return what a box says, but for the pointer to the help."""
    parts = [part for part in _parts(box) if not part.startswith(_LEFT_OUT)]
    line = "; ".join(parts)
    for pattern, words in _IN_OUR_WORDS:
        line = re.sub(pattern, words, line)
    return line


def _parts(box: str) -> Iterator[str]:
    """Yield what stands between the rules of a box."""
    words: list[str] = []
    for line in box.splitlines()[1:]:  # the first has the title
        text = line.strip(_BORDER)
        if not set(text) - _RULE:
            if words:
                yield " ".join(words)
            words = []
        else:
            words += text.split()
