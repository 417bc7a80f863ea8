"""Where minerals and gas lie about a town hall.

One pattern serves all bases, mirrored to the four sides: eight mineral patches and two geysers at
the distances that are usual on ladder maps, three cells clear of the town hall. It is never
turned by a quarter, since a patch is two cells wide and one high.
"""

from typing import NamedTuple

MINERAL_FIELD = 341
MINERAL_FIELD_750 = 483
VESPENE_GEYSER = 342

MINERAL_FIELD_CONTENTS = 1800
MINERAL_FIELD_750_CONTENTS = 900
VESPENE_GEYSER_CONTENTS = 2250

_NEAR_PATCHES = ((0.5, 6.0), (-2.5, 6.0), (-6.5, 2.0), (-6.5, 0.0))
_FAR_PATCHES = ((-5.5, 5.0), (-0.5, 7.0), (-7.5, 1.0), (-6.5, 4.0))
_GEYSERS = ((-7.0, -3.0), (4.0, 7.0))


class Base(NamedTuple):
    """A place for a town hall: the cell of its centre, and the side on which resources lie."""

    x: int
    y: int
    toward_x: int  # -1: to the left; 1: to the right
    toward_y: int  # -1: below; 1: above

    @property
    def centre(self) -> tuple[float, float]:
        """The town hall's position."""
        return self.x + 0.5, self.y + 0.5

    def opposite(self, width: int, height: int) -> "Base":
        """Return the same base after half a turn about the centre of a map of this size."""
        return Base(width - 1 - self.x, height - 1 - self.y, -self.toward_x, -self.toward_y)


class Resource(NamedTuple):
    """A mineral patch or geyser at the start of a game."""

    unit_id: int
    x: float
    y: float
    contents: int

    def cells(self) -> tuple[slice, slice]:
        """Return the rows and columns that it stands on."""
        half_width, half_height = (1.5, 1.5) if self.unit_id == VESPENE_GEYSER else (1.0, 0.5)
        return (
            slice(int(self.y - half_height), int(self.y + half_height)),
            slice(int(self.x - half_width), int(self.x + half_width)),
        )


def resource_field(base: Base) -> tuple[Resource, ...]:
    """Return the eight mineral patches and two geysers of a base."""
    geysers = _placed(base, _GEYSERS, VESPENE_GEYSER, VESPENE_GEYSER_CONTENTS)
    return mineral_line(base) + geysers


def mineral_line(base: Base) -> tuple[Resource, ...]:
    """Return the eight mineral patches of a base; the nearer four hold more."""
    near = _placed(base, _NEAR_PATCHES, MINERAL_FIELD, MINERAL_FIELD_CONTENTS)
    far = _placed(base, _FAR_PATCHES, MINERAL_FIELD_750, MINERAL_FIELD_750_CONTENTS)
    return near + far


def _placed(
    base: Base, offsets: tuple[tuple[float, float], ...], unit_id: int, contents: int
) -> tuple[Resource, ...]:
    """Put resources about a base; the offsets are those of one that lie to the left and above."""
    x, y = base.centre
    return tuple(
        Resource(unit_id, x - base.toward_x * right, y + base.toward_y * up, contents)
        for right, up in offsets
    )
