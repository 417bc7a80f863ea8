import pytest

from agent.scripted.catalogue import RACE_UNITS, Making, product, type_of
from agent.scripted.plan import goals
from agent.scripted.styles import styles_of
from envs.interface import Race, action_arguments, legality

STYLES = [style for race in Race for style in styles_of(race)]
GOALS = {goal.thing.name: goal.thing for style in STYLES for goal in style.goals}


def test_goals_are_read_in_order():
    first, second = goals("13 Drone, 2\n Hatchery")
    assert (first.number, first.thing.name) == (13, "Drone")
    assert (second.number, second.thing.unit_type) == (2, type_of("Hatchery"))


@pytest.mark.parametrize("text", ["Drone", "13 Drones", "x Drone", "13 Drone,", "5 MineralField"])
def test_goals_that_cannot_be_made_are_refused(text: str):
    with pytest.raises(ValueError, match="expected"):
        goals(text)


def test_costs_are_those_of_one_order():
    lair, zergling = product("Lair"), product("Zergling")
    assert (lair.minerals, lair.vespene, lair.making) == (150, 100, Making.MORPHED)
    assert (zergling.minerals, zergling.supply, zergling.number) == (50, 1.0, 2)


def test_each_race_builds_gas_buildings_on_geysers_and_town_halls_at_places():
    for units in RACE_UNITS.values():
        assert product(units.gas_building).making is Making.ON_GEYSER
        assert product(units.town_hall).making is Making.PLACED


@pytest.mark.parametrize("thing", GOALS.values(), ids=GOALS)
def test_what_a_style_wants_somebody_can_make(thing):
    assert thing.makers
    assert legality()[list(thing.makers), thing.action_type].all()
    arguments = action_arguments()
    is_placed, is_on_geyser = thing.making is Making.PLACED, thing.making is Making.ON_GEYSER
    assert arguments.target_location[thing.action_type] == is_placed
    assert arguments.target_unit[thing.action_type] == is_on_geyser


@pytest.mark.parametrize("style", STYLES, ids=lambda style: f"{style.race.name} {style.name}")
def test_styles_have_names_of_their_own_and_end_with_soldiers(style):
    assert [one.name for one in styles_of(style.race)].count(style.name) == 1
    assert style.goals[-1].thing.making is Making.TRAINED
    assert style.goals[-1].number > 60
