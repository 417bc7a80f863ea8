"""The memory of a game: where fields of eight bytes lie."""

import numpy as np

from envs.engine.layout import WORLD


def eights(dtype: np.dtype[np.void]) -> list[int]:
    """The offsets of all numbers of eight bytes in a record, those of its records too."""
    found = []
    for name in dtype.names or ():
        form, offset = dtype.fields[name][:2] if dtype.fields else (dtype, 0)
        base = form.base
        if base.names:
            found += [offset + inner for inner in eights(base)]
            if base.itemsize % 8:
                assert not eights(base), name
        elif base.itemsize == 8:
            found.append(offset)
    return found


def test_numbers_of_eight_bytes_lie_where_processors_want_them():
    offsets = eights(WORLD)
    assert len(offsets) > 10
    assert not [offset for offset in offsets if offset % 8]


def test_the_grid_of_creep_that_is_read_by_eights_lies_likewise():
    assert WORLD.fields is not None
    assert WORLD.fields["creep"][1] % 8 == 0
