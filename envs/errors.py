"""What goes wrong with a game; each message is one line: what was wanted, what came, what to do."""


class GameError(Exception):
    """Something is wrong with a game; another one may be tried."""


class LaunchError(GameError):
    """A game did not start: its program ended at once, never listened, or said nonsense."""


class GameMissingError(LaunchError):
    """There is no such folder, release, program or map, so that trying again does not help."""


class GameCrashedError(GameError):
    """A game that had started is gone: its process, the connection to it, or its session."""


class GameHungError(GameError):
    """A game did not answer in time; its process has been killed."""


class CrashLoopError(GameError):
    """Game after game failed, and no more are tried: whatever runs on them must end."""
