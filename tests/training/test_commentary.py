"""A game told in words: what was decided, with how many units, when it is time to tell."""

import numpy as np

from envs.interface import (
    UNKNOWN,
    Action,
    Alliance,
    EntityFeature,
    Observation,
    ScalarFeature,
    raw_functions,
    read_table,
)
from tests.builders import make_observation
from training.commentary import HEADING, Commentary, clock

FUNCTIONS = [function.name for function in raw_functions()]
UNITS = [row["name"] for row in read_table("unit_types.csv")]


def seen(loop: int) -> Observation:
    """Three own Marines and an SCV, and two enemies."""
    observation = make_observation(np.random.default_rng(0), num_own=4, num_others=2, loop=loop)
    observation.entities[:3, EntityFeature.UNIT_TYPE] = UNITS.index("Marine")
    observation.entities[3, EntityFeature.UNIT_TYPE] = UNITS.index("SCV")
    told = {
        ScalarFeature.GAME_LOOP: loop,
        ScalarFeature.FOOD_USED: 16,
        ScalarFeature.FOOD_CAP: 23,
        ScalarFeature.MINERALS: 1050,
        ScalarFeature.VESPENE: 75,
        ScalarFeature.FOOD_WORKERS: 13,
        ScalarFeature.ARMY_COUNT: 3,
    }
    for feature, value in told.items():
        observation.scalars[feature] = value
    assert (observation.entities[4:, EntityFeature.ALLIANCE] == Alliance.ENEMY).all()
    return observation


def doing(name: str, *rows: int) -> Action:
    selected = np.array(rows, np.int16)
    return Action(FUNCTIONS.index(name), 8, 0, selected, UNKNOWN, (UNKNOWN, UNKNOWN))


def told(*decisions: tuple[int, Action, str | None]) -> list[str]:
    lines: list[str] = []
    commentary = Commentary(lines.append)
    for loop, action, refusal in decisions:
        commentary.note(seen(loop), action, refusal)
    return lines


def test_a_clock_counts_the_seconds_of_speed_faster():
    assert [clock(loop) for loop in (0, 22, 23, 1344, 1344 * 12 + 224)] == [
        "0:00",
        "0:00",
        "0:01",
        "1:00",
        "12:10",
    ]


def test_a_line_tells_how_the_player_stands_under_the_heading():
    (line,) = told((1344, doing("Attack_pt", 0, 1), None))
    assert line.split() == [
        "1:00",
        "16/23",
        "1050",
        "75",
        "13",
        "3",
        "2",
        "Attack",
        "(2",
        "Marine)",
    ]
    assert line.index("1050") + 4 == HEADING.index("minerals") + len("minerals")
    assert line.index(" 2  Attack") + 2 == HEADING.index("seen") + len("seen")


def test_what_is_done_for_the_first_time_is_told_at_once_and_the_rest_every_ten_seconds():
    attack, smart, nothing = doing("Attack_pt", 0), doing("Smart_pt", 3), doing("no_op")
    lines = told(
        (0, attack, None),
        (8, attack, None),
        (16, doing("Attack_unit", 0, 1, 3), None),  # an attack too
        (24, smart, None),
        (32, attack, None),
        (24 + 223, nothing, None),
        (24 + 225, nothing, None),
        (24 + 600, nothing, None),
    )
    assert [line.split("  ")[-1] for line in lines] == [
        "Attack (1 Marine)",
        "Attack x2 (2 Marine, 1 SCV), Smart (1 SCV)",
        "Attack (1 Marine)",
    ]
    assert [line.split()[0] for line in lines] == ["0:00", "0:01", "0:11"]


def test_what_is_refused_is_told_with_the_reason_and_apart():
    lines = told(
        (0, doing("Train_Marine_quick", 0), "NotEnoughMinerals"),
        (8, doing("Train_Marine_quick", 0), None),
        (16, doing("Train_Marine_quick"), None),
        (300, doing("no_op"), None),
    )
    assert [line.split("  ")[-1] for line in lines] == [
        "Train Marine refused: NotEnoughMinerals (1 Marine)",
        "Train Marine (1 Marine)",
        "Train Marine (nobody)",
    ]
