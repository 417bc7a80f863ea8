"""The styles of each race."""

from agent.scripted import protoss, terran, zerg
from agent.scripted.plan import Style
from envs.interface import Race

_STYLES = {
    Race.TERRAN: terran.STYLES,
    Race.ZERG: zerg.STYLES,
    Race.PROTOSS: protoss.STYLES,
}


def styles_of(race: Race) -> tuple[Style, ...]:
    """Return a race's styles; none if nobody has written any."""
    return _STYLES.get(race, ())
