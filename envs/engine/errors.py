"""The exceptions of the engine that callers act on; each message is one line, meant for a user."""

from typing import Any


class MapError(ValueError):
    """A map file that is not one of ours, or is damaged."""


class ReplayError(ValueError):
    """A replay that cannot be read or played back, and why."""


class LinkError(ConnectionError):
    """The other process of a two-player game is missing, gone or talks nonsense."""


class GameRefused(ValueError):
    """A game that cannot be created, joined or played back.

    Attributes:
        code: the value of the answer's own ``Error`` enumeration.
    """

    def __init__(self, code: Any, message: str) -> None:
        super().__init__(message)
        self.code = code


class RequestRefused(Exception):
    """A request that is answered with nothing but this text."""
