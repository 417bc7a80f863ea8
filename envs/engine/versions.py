"""The releases of StarCraft II that the engine gives itself out for.

Clients choose a game, and the maps and replays that go with it, by these numbers. What the engine
really is stands in its replays' own header.
"""

from typing import NamedTuple


class GameVersion(NamedTuple):
    """A release as clients know it."""

    game_version: str
    base_build: int
    data_version: str

    @property
    def full_version(self) -> str:
        """The version with its build, as the game and its replays write it."""
        return f"{self.game_version}.{self.base_build}"


DEFAULT_VERSION = GameVersion("4.10.0", 75689, "B89B5D6FA7CBF6452E721311BFBC6CB2")
"""The last one that Blizzard made for Linux."""

KNOWN_VERSIONS = (
    GameVersion("4.7.1", 70154, "94596A85191583AD2EBFAE28C5D532DB"),
    GameVersion("4.8.2", 71663, "FE90C92716FC6F8F04B74268EC369FA5"),
    GameVersion("4.9.3", 75025, "C305368C63621480462F8F516FB64374"),
    DEFAULT_VERSION,
    GameVersion("4.12.1", 80188, "44DED5AED024D23177C742FC227C615A"),
    GameVersion("5.0.3", 81433, "5FD8D4B6B52723B44862DF29F232CF31"),
    GameVersion("5.0.9", 87702, "F799E093428D419FD634CCE9B925218C"),
)
