"""Each of pysc2's raw functions: taken by a unit that can do it, or refused."""

from collections.abc import Iterator

import pytest
from s2clientprotocol import common_pb2 as common_pb
from s2clientprotocol import error_pb2 as result
from s2clientprotocol import raw_pb2 as raw_pb
from s2clientprotocol import sc2api_pb2 as sc_pb

from envs.engine.commands import Command, Deed
from envs.engine.layout import ONE, Trait
from envs.engine.rules import snapped
from envs.engine.session import Session
from envs.engine.transport import load, unload_all
from envs.engine.unit_tables import unit_tables
from envs.interface import RawFunction, raw_functions
from tests.envs.engine.api_client import Client, joining, new_game
from tests.envs.engine.scenes import PROTOSS, TERRAN, ZERG, Scene
from training.engine_docs import is_supported, takers_of

GIVEN_TO_UNITS = [f for f in raw_functions() if f.kind in ("quick", "point", "unit")]
SUPPORTED = [f for f in GIVEN_TO_UNITS if is_supported(f)]
REFUSED = [f for f in GIVEN_TO_UNITS if not is_supported(f)]
AUTOCASTS = [f for f in raw_functions() if f.kind == "autocast"]
# Everything that cancels is tried where there is something to cancel.
CANCELS = (Deed.CANCEL, Deed.CANCEL_LAST)
MIDDLE, AWAY = (40.0, 40.0), (52.0, 52.0)
TRAIN_SCV = 524
SWITCHES = ("free", "no_tech", "no_food", "no_cooldown", "god")


class Stage:
    """A unit that is to take a function, and around it whatever it may be aimed at."""

    def __init__(self, row: int) -> None:
        race = int(unit_tables().types["race"][row])
        self.scene = Scene(race, TERRAN)
        game = self.scene.game
        for switch in SWITCHES:
            self.scene.world.players[switch][1] = 1
        self.scene.world.players["god"][2] = 1  # nobody is to die before it is their turn
        self._prepare_ground(race)
        name = game.tables.names[row]
        x, y = snapped(game, row, *(round(v * ONE) for v in MIDDLE))
        self.unit = self.scene.put(name, 1, x / ONE, y / ONE)
        self.selected = [self.unit]
        self.place = (x / ONE, y / ONE)
        self._prepare_unit(name)
        self.targets = [
            self.scene.put("Marine", 2, 46, 40),
            self.scene.put("Marine", 1, 44, 45, health=20 * ONE),
            self.scene.put("SCV", 1, 45, 45, health=20 * ONE),
            self.scene.put("SupplyDepot", 1, 48, 46, health=200 * ONE),
            self.scene.put("Hatchery", 1, 34.5, 53.5),
            *(int(game.units["tag"][slot]) for slot in game.resources()),
            self.unit,
        ]
        self.scene.run(8)

    def _prepare_ground(self, race: int) -> None:
        if race == ZERG:
            self.scene.world.creep[48:57, 48:57] = 1
        elif race == PROTOSS:
            self.scene.put("Pylon", 1, *AWAY)
            self.scene.put("Pylon", 1, 36, 36)

    def _prepare_unit(self, name: str) -> None:
        """Give the unit what it needs: a load, passengers, a partner."""
        scene, game = self.scene, self.scene.game
        slot = game.slot(self.unit)
        kind = game.kind(slot)
        game.units["spread_charges"][slot] = 1
        if kind["traits"] & Trait.WORKER:
            game.units["carries"][slot], game.units["carried"][slot] = 1, 5
        if kind["traits"] & Trait.LARVA:
            game.units["home"][slot] = scene.all_of("Hatchery", 1)[0]
        if kind["cargo_space"]:
            passenger = "SCV" if kind["traits"] & Trait.TOWN_HALL else "Marine"
            passenger_slot = game.slot(scene.put(passenger, 1, 42, 44))
            assert load(game, slot, passenger_slot) == result.Success
        if name in ("HighTemplar", "DarkTemplar"):
            self.selected.append(scene.put(name, 1, 41, 41))

    def places(self) -> Iterator[tuple[float, float]]:
        """Places to aim at, those first at which most can be done."""
        yield self.place
        yield AWAY[0] - 3.5, AWAY[1] + 0.5
        yield AWAY[0] + 0.5, AWAY[1] - 2.5
        yield MIDDLE[0] + 4, MIDDLE[1] - 3
        for x in range(30, 58, 3):
            for y in range(30, 58, 3):
                yield x + 0.5, y + 0.5

    def answers(self, function: RawFunction) -> Iterator[int]:
        """Give the function to the unit, aimed at one thing after another."""
        ability = function.ability_id
        if function.kind == "quick":
            yield self.scene.order(ability, *self.selected)
        elif function.kind == "unit":
            for target in self.targets:
                yield self.scene.order(ability, self.unit, on=target)
        else:
            for place in self.places():
                yield self.scene.order(ability, self.unit, at=place)


def taker_of(function: RawFunction) -> tuple[int, Command]:
    """The unit type to try a function with."""
    takers = takers_of(function)
    for row, command in takers:
        if command.deed not in CANCELS:
            return row, command
    hall = unit_tables().row["CommandCenter"]
    return next((row, command) for row, command in takers if row == hall)


@pytest.mark.parametrize("function", SUPPORTED, ids=lambda function: function.name)
def test_a_supported_function_is_taken_and_carried_out(function: RawFunction):
    row, command = taker_of(function)
    stage = Stage(row)
    if command.deed in CANCELS:
        assert stage.scene.order(TRAIN_SCV, stage.unit) == result.Success
    if command.deed is Deed.MORPH:  # none with passengers
        unload_all(stage.scene.game, stage.scene.game.slot(stage.unit))
    answers = []
    for answer in stage.answers(function):
        answers.append(answer)
        if answer == result.Success:
            break
    assert answers[-1] == result.Success, [result.ActionResult.Name(a) for a in answers]
    stage.scene.run(48)


@pytest.mark.parametrize("function", REFUSED, ids=lambda function: function.name)
def test_a_function_that_is_not_supported_is_refused_and_changes_nothing(function: RawFunction):
    scene = Scene(TERRAN, TERRAN)
    marine, enemy = scene.put("Marine", 1, 40, 40), scene.put("Marine", 2, 60, 60)
    before = scene.match.state_hash()
    command = raw_pb.ActionRawUnitCommand(ability_id=function.ability_id, unit_tags=[marine])
    if function.kind == "unit":
        command.target_unit_tag = enemy
    elif function.kind == "point":
        command.target_world_space_pos.x, command.target_world_space_pos.y = 44, 44
    answer = scene.match.command(1, raw_pb.ActionRaw(unit_command=command))
    assert answer == result.NotSupported
    assert scene.match.state_hash() == before


@pytest.mark.parametrize("function", AUTOCASTS, ids=lambda function: function.name)
def test_autocast_cannot_be_toggled(function: RawFunction):
    scene = Scene(TERRAN, TERRAN)
    toggle = raw_pb.ActionRawToggleAutocast(ability_id=function.ability_id)
    answer = scene.match.command(1, raw_pb.ActionRaw(toggle_autocast=toggle))
    assert answer == result.NotSupported


def test_no_op_is_no_action_and_the_camera_moves_where_it_is_told():
    center = common_pb.Point(x=30, y=31)
    camera = raw_pb.ActionRaw(camera_move=raw_pb.ActionRawCameraMove(center_world_space=center))
    with Session() as session:
        client = Client(session)
        client.start(new_game(), joining())
        actions = [sc_pb.Action(), sc_pb.Action(action_raw=camera)]
        answer = client.send(action=sc_pb.RequestAction(actions=actions)).action
        assert list(answer.result) == [result.Success, result.Success]
        seen = client.observe().observation.raw_data.player.camera
    assert (seen.x, seen.y) == (30, 31)
