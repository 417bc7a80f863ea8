"""Units as records in slots: finding one by its tag, measuring between two, leaving word of events.

Compiled code uses the functions here through plain indices; a slot of 0 is no unit.
"""

from envs.engine.compiled import Array, Record, inlined
from envs.engine.layout import (
    FIRST_INDEX,
    MAX_EVENTS,
    MAX_UNITS,
    Clock,
)

GENERATION_BITS = 18

_NUM_EVENTS = int(Clock.NUM_EVENTS)


@inlined
def slot_of(units: Array, tag: int) -> int:
    """Return the slot of the unit with a tag, 0 if there is none any more."""
    if tag == 0:
        return 0
    slot = (tag >> GENERATION_BITS) - FIRST_INDEX
    if slot < 1 or slot >= MAX_UNITS or units[slot].tag != tag:
        return 0
    return slot


@inlined
def leave_word(world: Record, what: int, slot: int, argument: int) -> None:
    """Leave an event for plain code to see to at the end of the loop."""
    count = world.clock[_NUM_EVENTS]
    if count < MAX_EVENTS:
        event = world.events[count]
        event.what = what
        event.slot = slot
        event.tag = world.units[slot].tag
        event.argument = argument
        world.clock[_NUM_EVENTS] = count + 1
