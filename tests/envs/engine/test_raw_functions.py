"""Each of pysc2's raw functions: done by a unit that can do it, for all to see, or refused."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest
from s2clientprotocol import common_pb2 as common_pb
from s2clientprotocol import error_pb2 as result
from s2clientprotocol import raw_pb2 as raw_pb
from s2clientprotocol import sc2api_pb2 as sc_pb

from envs.engine.commands import Command, Deed, commands_of
from envs.engine.creep import HALL_RADIUS, TUMOUR_RADIUS, lay_creep
from envs.engine.layout import ONE, Trait
from envs.engine.observe import Observer
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
IN_PLACE = (Deed.BUILD, Deed.ADD_ON, Deed.LAND, Deed.WARP_IN)
MIDDLE, AWAY, ENEMY_AT = (40.0, 40.0), (52.0, 52.0), (46.0, 40.0)
HARDY = 10_000 * ONE
TRAIN_SCV, BUILD_DEPOT = 524, 319
ARCHON = 141
DEPOT_AT = (44.0, 36.0)
SWITCHES = ("free", "no_tech", "no_food", "no_cooldown", "god", "fast")
UNSEEN = ("Contaminate", "GravitonBeam")  # who cannot act is told to nobody
LOOK_LOOPS, LONGEST_LOOPS = 4, 600


class Stage:
    """A unit that is to take a function, and around it whatever it may be aimed at."""

    def __init__(self, row: int) -> None:
        race = int(unit_tables().types["race"][row])
        self.scene = Scene(race, TERRAN)
        game = self.scene.game
        for switch in SWITCHES:
            self.scene.world.players[switch][1] = 1
        self._prepare_ground(race)
        name = game.tables.names[row]
        x, y = snapped(game, row, *(round(v * ONE) for v in MIDDLE))
        self.unit = self.scene.put(name, 1, x / ONE, y / ONE)
        self.selected = [self.unit]
        self.place = (x / ONE, y / ONE)
        self._prepare_unit(name)
        self.targets = [
            self.scene.put("Marine", 2, *ENEMY_AT, health=HARDY, health_max=HARDY),
            self.scene.put("Zealot", 1, 45, 38.5, shield=0),
            self.scene.put("Marine", 1, 44, 45, health=20 * ONE),
            self.scene.put("SCV", 1, 45, 45, health=20 * ONE),
            self.scene.put("SupplyDepot", 1, 48, 46, health=200 * ONE),
            self.scene.put("Hatchery", 1, 34.5, 53.5),
            *(int(game.units["tag"][slot]) for slot in game.resources()),
            self.unit,
        ]
        self.scene.run(8)
        self._observer = Observer(self.scene.match, 1, sc_pb.InterfaceOptions(raw=True))

    def _prepare_ground(self, race: int) -> None:
        if race == ZERG:
            hatchery = self.scene.put("Hatchery", 1, 52.5, 60.5, born=-10_000)  # long ago
            self._lay_creep(hatchery, HALL_RADIUS)
        elif race == PROTOSS:
            self.scene.put("Pylon", 1, *AWAY)
            self.scene.put("Pylon", 1, 36, 36)

    def _lay_creep(self, source: int, radius: int) -> None:
        place = self.scene.value(source, "x"), self.scene.value(source, "y")
        lay_creep(self.scene.world.record, *place, radius)

    def _prepare_unit(self, name: str) -> None:
        """Give the unit what it needs: a load, passengers, a partner."""
        scene, game = self.scene, self.scene.game
        slot = game.slot(self.unit)
        kind = game.kind(slot)
        game.units["spread_charges"][slot] = 1
        if name == "CreepTumorBurrowed":
            game.units["born"][slot] = -10_000
            self._lay_creep(self.unit, TUMOUR_RADIUS)
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

    def look(self) -> sc_pb.Observation:
        """Return what the unit's player sees."""
        data = self._observer.observation()
        return sc_pb.ResponseObservation.FromString(data).observation

    def places(self, command: Command) -> Iterator[tuple[float, float]]:
        """Places to aim at, those first at which most can be done."""
        if command.spell and command.spell.name.startswith("CreepTumor"):
            yield AWAY
            yield MIDDLE[0] - 4, MIDDLE[1] - 3
        yield self.place if command.deed in IN_PLACE else ENEMY_AT
        yield AWAY[0] - 3.5, AWAY[1] + 0.5
        yield AWAY[0] + 0.5, AWAY[1] - 2.5
        yield MIDDLE[0] + 4, MIDDLE[1] - 3
        for x in range(30, 58, 3):
            for y in range(30, 58, 3):
                yield x + 0.5, y + 0.5

    def answers(self, function: RawFunction, command: Command) -> Iterator[int]:
        """Give the function to the unit, aimed at one thing after another."""
        ability = function.ability_id
        if function.kind == "quick":
            yield self.scene.order(ability, *self.selected)
        elif function.kind == "unit":
            for target in self.targets:
                yield self.scene.order(ability, self.unit, on=target)
        else:
            for place in self.places(command):
                yield self.scene.order(ability, self.unit, at=place)


def taker_of(function: RawFunction) -> tuple[int, Command]:
    """The unit type to try a function with."""
    takers = takers_of(function)
    for row, command in takers:
        if command.deed not in CANCELS:
            return row, command
    hall = unit_tables().row["CommandCenter"]
    return next((row, command) for row, command in takers if row == hall)


class Sight(NamedTuple):
    """What a player sees of a unit that was given something, and of its twin that was not."""

    command: Command
    unit: raw_pb.Unit  # all zero where it is gone, inside another or has become part of one
    twin: raw_pb.Unit
    all: sc_pb.Observation
    all_of_twin: sc_pb.Observation

    def gained(self, field: str) -> bool:
        """Whether any other unit has more of something than it has beside the twin."""
        before = {unit.tag: getattr(unit, field) for unit in self.all_of_twin.raw_data.units}
        return any(getattr(u, field) > before.get(u.tag, 1e9) for u in self.all.raw_data.units)

    def num_more(self) -> int:
        """How many more units there are of the type that the command makes."""
        wanted = int(unit_tables().types["id"][self.command.row])
        ours, theirs = (
            sum(unit.unit_type == wanted and unit.owner == 1 for unit in seen.raw_data.units)
            for seen in (self.all, self.all_of_twin)
        )
        return ours - theirs


def is_told(sight: Sight) -> bool:
    return any(order.ability_id == sight.command.ability for order in sight.unit.orders)


def has_moved(sight: Sight) -> bool:
    is_elsewhere = sight.unit.pos != sight.twin.pos
    is_fixed = unit_tables().types["speed"][unit_tables().row_of_id[sight.unit.unit_type]] == 0
    return is_elsewhere or (bool(is_fixed) and is_told(sight))


def is_made(sight: Sight) -> bool:
    return sight.num_more() > 0


def has_become(sight: Sight) -> bool:
    return is_made(sight) or sight.unit.unit_type == unit_tables().types["id"][sight.command.row]


def is_researched(sight: Sight) -> bool:
    known, before = (seen.raw_data.player.upgrade_ids for seen in (sight.all, sight.all_of_twin))
    return sight.command.upgrade in known and sight.command.upgrade not in before


def is_cast(sight: Sight) -> bool:
    """Whether it is over and has left more than a caster elsewhere, with less energy."""
    if is_told(sight):
        return False
    if sight.command.spell and sight.command.spell.name in UNSEEN:
        return sight.unit.energy < sight.twin.energy
    return scenery(sight, sight.all) != scenery(sight, sight.all_of_twin)


def scenery(sight: Sight, seen: sc_pb.Observation) -> tuple[object, ...]:
    """What is seen, but for orders, where the caster is and what energy it has left."""
    raw = raw_pb.ObservationRaw.FromString(seen.raw_data.SerializeToString())
    of_caster = ("energy", "facing", *(() if moves_caster(sight) else ("pos",)))
    for unit in raw.units:
        for field in ("orders", "is_active", *(of_caster if unit.tag == sight.twin.tag else ())):
            unit.ClearField(field)
    return (
        sorted(unit.SerializeToString(deterministic=True) for unit in raw.units),
        sorted(effect.SerializeToString(deterministic=True) for effect in raw.effects),
        raw.map_state.creep.data,
        seen.player_common.food_cap,
    )


def moves_caster(sight: Sight) -> bool:
    return sight.command.spell is not None and sight.command.spell.name in ("Blink", "TacticalJump")


SHOWN: dict[Deed, Callable[[Sight], bool]] = {
    **dict.fromkeys((Deed.SMART, Deed.MOVE, Deed.ATTACK, Deed.PATROL), has_moved),
    Deed.HOLD: is_told,
    Deed.STOP: lambda sight: not sight.unit.orders,
    Deed.GATHER: is_told,
    Deed.RETURN: lambda sight: bool(sight.twin.buff_ids) and not sight.unit.buff_ids,
    Deed.REPAIR: lambda sight: sight.gained("health"),
    **dict.fromkeys(
        (Deed.RALLY_UNITS, Deed.RALLY_WORKERS), lambda sight: bool(sight.unit.rally_targets)
    ),
    **dict.fromkeys((Deed.TRAIN, Deed.LARVA_TRAIN, Deed.WARP_IN, Deed.BUILD, Deed.ADD_ON), is_made),
    **dict.fromkeys((Deed.MORPH, Deed.LAND), has_become),
    Deed.MERGE: lambda sight: sight.unit.unit_type == ARCHON,
    Deed.RESEARCH: is_researched,
    **dict.fromkeys(
        (Deed.CANCEL, Deed.CANCEL_LAST, Deed.HALT),
        lambda sight: len(sight.unit.orders) < len(sight.twin.orders),
    ),
    **dict.fromkeys((Deed.LOAD, Deed.LOAD_ALL), lambda sight: sight.gained("cargo_space_taken")),
    **dict.fromkeys(
        (Deed.UNLOAD_ALL, Deed.UNLOAD_ALL_AT, Deed.UNLOAD_UNIT),
        lambda sight: sight.unit.cargo_space_taken < sight.twin.cargo_space_taken,
    ),
    **dict.fromkeys((Deed.SPELL, Deed.TOGGLE), is_cast),
}
"""By what one sees that a unit does as it was told."""


@pytest.mark.parametrize("function", SUPPORTED, ids=lambda function: function.name)
def test_a_supported_function_is_taken_and_carried_out(function: RawFunction):
    row, command = taker_of(function)
    stages = [Stage(row), Stage(row)]
    for stage in stages:
        be_busy(stage, command)
    answers = []
    for answer in stages[0].answers(function, command):
        answers.append(answer)
        if answer == result.Success:
            break
    assert answers[-1] == result.Success, [result.ActionResult.Name(a) for a in answers]
    for _ in range(0, LONGEST_LOOPS, LOOK_LOOPS):
        for stage in stages:
            stage.scene.run(LOOK_LOOPS)
        if SHOWN[command.deed](sight_of(command, *stages)):
            return
    pytest.fail(f"{command.deed.name} is nowhere to be seen")


def be_busy(stage: Stage, command: Command) -> None:
    """Have a unit do what the command is to change."""
    if command.deed in CANCELS:
        for _ in range(2):
            assert stage.scene.order(TRAIN_SCV, stage.unit) == result.Success
        stage.scene.world.players["fast"][1] = 0
    elif command.deed is Deed.MORPH:  # none with passengers
        unload_all(stage.scene.game, stage.scene.game.slot(stage.unit))
    elif command.deed is Deed.HALT:
        stage.scene.world.players["fast"][1] = 0
        assert stage.scene.order(BUILD_DEPOT, stage.unit, at=DEPOT_AT) == result.Success
        stage.scene.run(60)
    elif command.deed is Deed.STOP:
        stage.scene.order("move", stage.unit, at=AWAY)
    if command.deed is Deed.SPELL:  # nobody's health is to change by anything else
        stage.scene.world.weapons["targets"] = 0
    if command.spell and "Off" in command.spell.name:
        row = stage.scene.value(stage.unit, "type")
        name = command.spell.name.replace("Off", "On")
        on = next(c for c in commands_of(row).values() if c.spell and c.spell.name == name)
        assert stage.scene.order(on.ability, stage.unit) == result.Success
        stage.scene.run(16)


def sight_of(command: Command, given: Stage, left: Stage) -> Sight:
    seen = [stage.look() for stage in (given, left)]
    units = [
        next((unit for unit in view.raw_data.units if unit.tag == stage.unit), raw_pb.Unit())
        for view, stage in zip(seen, (given, left), strict=True)
    ]
    return Sight(command, *units, *seen)


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
