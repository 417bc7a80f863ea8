"""The memory of a game: where its fields lie."""

from envs.engine.layout import MAX_SIDE, WORLD

CACHE_LINE = 64


def test_every_field_begins_on_a_line_of_the_cache_after_the_one_before():
    assert WORLD.fields is not None
    end = 0
    for name in WORLD.names or ():
        form, offset = WORLD.fields[name][:2]
        assert offset % CACHE_LINE == 0, name
        assert end <= offset < end + CACHE_LINE, name
        end = offset + form.itemsize
    assert end <= WORLD.itemsize


def test_rows_of_grids_can_be_read_by_eights():
    assert MAX_SIDE % 8 == 0
