"""A client plays the engine: it starts, acts, places buildings and sees what came of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import pytest
from s2clientprotocol import common_pb2 as common_pb
from s2clientprotocol import debug_pb2 as debug_pb
from s2clientprotocol import query_pb2 as query_pb
from s2clientprotocol import sc2api_pb2 as sc_pb

from envs.actions import action_of
from envs.connection import InProcessConnection
from envs.engine.session import Session
from envs.game_client import GameClient, GameSetup, Moment, Opponent, RequestError
from envs.interface import (
    MAX_DELAY,
    SUBCELLS,
    UNKNOWN,
    Action,
    Alliance,
    EntityFeature,
    Race,
    ScalarFeature,
    raw_functions,
    read_table,
)
from tests.builders import NO_OP

MAP = "Melee/Simple64.SC2Map"
EASY = Opponent(race=Race.ZERG, difficulty=1)
FREE = (debug_pb.free, debug_pb.all_resources, debug_pb.fast_build, debug_pb.tech_tree)
SUCCESS = 1


class Player(GameClient):
    """A client that keeps what it sent and got, and asks for what tests want."""

    def __init__(self, session: Session) -> None:
        self.last = b""
        self.sent = sc_pb.RequestAction()
        self._session = session
        super().__init__(InProcessConnection(self), plane_size=64)

    def handle(self, request: bytes) -> bytes:
        """Pass a request on to the session."""
        message = sc_pb.Request.FromString(request)
        if message.HasField("action"):
            self.sent = message.action
        self.last = self._session.handle(request)
        return self.last

    def close(self) -> None:
        """Leave the session to whoever opened it."""

    def seen(self) -> sc_pb.ResponseObservation:
        """What was last observed, as protobuf reads it."""
        return sc_pb.Response.FromString(self.last).observation

    def debug(self, *commands: debug_pb.DebugCommand) -> None:
        self.request(debug=sc_pb.RequestDebug(debug=commands))

    def put(self, unit: str, x: float, y: float, *, owner: int = 1) -> None:
        """Create a unit."""
        wanted = debug_pb.DebugCreateUnit(
            unit_type=unit_id(unit), owner=owner, pos=common_pb.Point2D(x=x, y=y), quantity=1
        )
        self.debug(debug_pb.DebugCommand(create_unit=wanted))
        self.step(2)

    def fits(self, ability_id: int, *places: tuple[float, float]) -> list[bool]:
        """Whether the game would place a building at each place."""
        placements = [
            query_pb.RequestQueryBuildingPlacement(
                ability_id=ability_id, target_pos=common_pb.Point2D(x=x, y=y)
            )
            for x, y in places
        ]
        answers = self.request(query=query_pb.RequestQuery(placements=placements)).query.placements
        return [answer.result == SUCCESS for answer in answers]


@contextmanager
def playing(
    race: Race = Race.TERRAN, *, map_path: str = MAP, opponent: Opponent | None = EASY
) -> Iterator[tuple[Player, Moment]]:
    """A game of the player's, with everything free and at once."""
    with Session() as session:
        player = Player(session)
        setup = GameSetup(map_path=map_path, race=race, opponent=opponent, seed=3)
        moment = player.start(setup)
        player.debug(*(debug_pb.DebugCommand(game_state=state) for state in FREE))
        yield player, moment


def unit_id(name: str) -> int:
    return next(int(r["unit_id"]) for r in read_table("unit_types.csv") if r["pysc2_name"] == name)


def rows_of(moment: Moment, name: str, *, alliance: Alliance = Alliance.SELF) -> list[int]:
    """Where units of a type are among the entities."""
    kind = next(
        int(r["unit_type"]) for r in read_table("unit_types.csv") if r["pysc2_name"] == name
    )
    entities = moment.shown.observation.entities
    is_so = entities[:, EntityFeature.UNIT_TYPE] == kind
    return np.flatnonzero(is_so & (entities[:, EntityFeature.ALLIANCE] == alliance)).tolist()


def place_of(moment: Moment, row: int) -> tuple[float, float]:
    x, y = moment.shown.observation.entities[row, [EntityFeature.X, EntityFeature.Y]].tolist()
    return x / SUBCELLS, y / SUBCELLS


def told(
    name: str,
    rows: list[int],
    *,
    at: tuple[float, float] | None = None,
    on: int = UNKNOWN,
    queued: int = 0,
) -> Action:
    """An action by its function's name."""
    action_type = next(i for i, f in enumerate(raw_functions()) if f.name == name)
    place = (UNKNOWN, UNKNOWN) if at is None else (int(at[0] * SUBCELLS), int(at[1] * SUBCELLS))
    return Action(action_type, 4, queued, np.array(rows, np.int16), on, place)


def test_a_game_begins_with_a_town_hall_and_twelve_workers():
    with playing() as (player, moment):
        assert (moment.loop, moment.result, player.player) == (0, None, 1)
        assert len(rows_of(moment, "SCV")) == 12
        assert len(rows_of(moment, "CommandCenter")) == 1
        scalars = moment.shown.observation.scalars
        assert scalars[ScalarFeature.HOME_RACE] == Race.TERRAN
        assert scalars[ScalarFeature.AWAY_RACE] == Race.ZERG
        assert player.game_map.name == "Simple64"


def test_both_seats_can_be_played_and_start_apart():
    places = []
    for number in (1, 2):
        with Session() as session:
            client = Player(session)
            moment = client.start(
                GameSetup(map_path=MAP, race=Race.TERRAN, opponent=EASY, seed=3, player=number)
            )
            assert client.player == number
            places.append(place_of(moment, rows_of(moment, "CommandCenter")[0]))
    assert abs(places[0][0] - places[1][0]) > 20


def test_a_mini_game_has_no_opponent():
    with playing(map_path="mini_games/MoveToBeacon.SC2Map", opponent=None) as (_, moment):
        assert moment.shown.observation.scalars[ScalarFeature.AWAY_RACE] == Race.NONE
        assert len(rows_of(moment, "Marine")) == 1


@pytest.mark.parametrize(("asked", "passed"), [(5, 5), (0, 1), (999, MAX_DELAY)])
def test_loops_pass_within_what_a_delay_can_say(asked: int, passed: int):
    with playing() as (player, moment):
        assert player.step(asked).loop - moment.loop == passed


def test_an_action_is_done_and_remembered():
    with Session() as session:
        player = Player(session)
        moment = player.start(GameSetup(map_path=MAP, race=Race.TERRAN, opponent=EASY, seed=3))
        (hall,) = rows_of(moment, "CommandCenter")
        assert player.act(told("Train_Marine_quick", [hall])) is not None  # no Barracks
        assert player.act(told("Train_SCV_quick", [hall])) is None
        moment = player.step(1)
        row = moment.shown.observation.entities[hall]
        action_type = told("Train_SCV_quick", []).action_type
        assert row[[EntityFeature.ORDER_LENGTH, EntityFeature.ORDER_0]].tolist() == [1, action_type]
        assert row[[EntityFeature.LAST_ORDER, EntityFeature.WAS_SELECTED]].tolist() == [
            action_type,
            1,
        ]
        scalars = moment.shown.observation.scalars
        assert scalars[ScalarFeature.LAST_ACTION_TYPE] == action_type
        assert scalars[ScalarFeature.LAST_DELAY] == 1


def test_what_the_game_reports_is_the_action_that_was_done():
    with playing() as (player, moment):
        player.put("Zergling", 60, 25, owner=2)
        player.put("Marine", 60, 27)
        moment = player.observe()
        workers, (hall,) = rows_of(moment, "SCV"), rows_of(moment, "CommandCenter")
        (enemy,) = rows_of(moment, "Zergling", alliance=Alliance.ENEMY)
        marine = rows_of(moment, "Marine")
        mineral = int(
            np.flatnonzero(
                moment.shown.observation.entities[:, EntityFeature.MINERAL_CONTENTS] > 0
            )[0]
        )
        for wanted in (
            told("Train_SCV_quick", [hall]),
            told("Move_pt", workers[:3], at=(30.5, 30.25)),
            told("Move_pt", workers[:3], at=(33, 30.25), queued=1),
            told("Attack_unit", marine, on=enemy),
            told("Attack_pt", marine, at=(60, 40.5)),
            told("Smart_pt", workers[4:6], at=(30.5, 30.25)),
            told("Smart_unit", workers[4:5], on=mineral),
            told("Harvest_Gather_unit", workers[7:9], on=mineral),
            told("Rally_Workers_unit", [hall], on=mineral),
            told("HoldPosition_quick", marine),
        ):
            before = moment
            assert player.act(wanted) is None
            moment = player.step(1)
            (reported,) = player.seen().actions
            recorded = action_of(
                reported.action_raw.unit_command, before.shown, delay=wanted.delay
            ).action
            assert recorded.selected_units.tolist() == wanted.selected_units.tolist()
            nobody = wanted.selected_units[:0]
            assert recorded._replace(selected_units=nobody)[:3] == wanted[:3]
            assert recorded[4:] == wanted[4:]


def test_an_action_that_cannot_be_says_why_and_leaves_no_trace():
    with playing() as (player, moment):
        (hall,) = rows_of(moment, "CommandCenter")
        train = told("Train_SCV_quick", [hall], queued=1)
        player.act(train)
        player.step(3)
        reason = player.act(told("Train_SCV_quick", [], queued=1))
        assert reason is not None
        assert "needs selected_units" in reason
        observation = player.step(2).shown.observation
        last = [ScalarFeature.LAST_ACTION_TYPE, ScalarFeature.LAST_DELAY, ScalarFeature.LAST_QUEUED]
        assert observation.scalars[last].tolist() == [train.action_type, 5, 1]
        (row,) = np.flatnonzero(observation.entities[:, EntityFeature.WAS_SELECTED])
        assert row == hall


def test_no_op_does_nothing():
    with playing() as (player, _):
        assert player.act(NO_OP) is None
        player.step(1)
        assert not player.seen().actions


def test_what_the_game_refuses_is_told_in_its_words():
    with Session() as session:
        player = Player(session)
        moment = player.start(GameSetup(map_path=MAP, race=Race.TERRAN, opponent=EASY, seed=3))
        (hall,) = rows_of(moment, "CommandCenter")
        reasons = [player.act(told("Train_SCV_quick", [hall])) for _ in range(2)]
        assert reasons == [None, "NotEnoughMinerals"]


class Building(NamedTuple):
    """What is to be placed, by whom, with which ability the game is asked, and beside what."""

    race: Race
    function: str
    placer: str
    ability: int
    beside: str
    put: str = ""  # what is created first, that it takes


BUILDINGS = [
    Building(Race.TERRAN, "Build_SupplyDepot_pt", "SCV", 319, "CommandCenter"),
    Building(Race.TERRAN, "Build_Barracks_pt", "SCV", 321, "CommandCenter"),
    Building(Race.TERRAN, "Build_CommandCenter_pt", "SCV", 318, "CommandCenter"),
    Building(Race.TERRAN, "Build_TechLab_pt", "Barracks", 421, "CommandCenter", "Barracks"),
    Building(Race.TERRAN, "Land_pt", "BarracksFlying", 554, "CommandCenter", "BarracksFlying"),
    Building(
        Race.TERRAN, "Land_pt", "CommandCenterFlying", 419, "CommandCenter", "CommandCenterFlying"
    ),
    Building(Race.PROTOSS, "Build_Pylon_pt", "Probe", 881, "Nexus"),
    Building(Race.PROTOSS, "Build_Gateway_pt", "Probe", 883, "Nexus", "Pylon"),
    Building(Race.PROTOSS, "Build_Nexus_pt", "Probe", 880, "Nexus"),
    Building(Race.PROTOSS, "TrainWarp_Zealot_pt", "WarpGate", 1413, "Nexus", "WarpGate"),
    Building(Race.ZERG, "Build_SpineCrawler_pt", "Drone", 1166, "Hatchery"),
    Building(Race.ZERG, "Build_SpawningPool_pt", "Drone", 1155, "Hatchery"),
    Building(Race.ZERG, "Build_Hatchery_pt", "Drone", 1152, "Hatchery"),
    Building(Race.ZERG, "Build_CreepTumor_pt", "Queen", 1694, "Hatchery", "Queen"),
]
REACH = (-2, -1, 0, 1, 2)


@pytest.mark.parametrize("building", BUILDINGS, ids=lambda b: f"{b.function} of {b.placer}")
def test_what_does_not_fit_goes_to_the_nearest_place_where_it_does(building: Building):
    with playing(building.race) as (player, moment):
        x, y = place_of(moment, rows_of(moment, building.beside)[0])
        if building.race == Race.PROTOSS:
            player.put("Pylon", x - 7, y + 6)
        if building.put not in ("", "Pylon"):
            player.put(building.put, x - 7, y + 2)
        moment = player.observe()
        spots = [(x + dx, y + dy) for dx in range(-12, 13) for dy in range(-12, 13)]
        placer = rows_of(moment, building.placer)[:1]
        distances = set()
        for wanted in spots[::5]:
            reach = [(wanted[0] + dx, wanted[1] + dy) for dx in REACH for dy in REACH]
            fitting = player.fits(building.ability, *reach)
            player.act(told(building.function, placer, at=wanted))
            (action,) = player.sent.actions
            place = action.action_raw.unit_command.target_world_space_pos
            chosen = [spot for spot, is_fit in zip(reach, fitting, strict=True) if is_fit]
            assert (place.x, place.y) in (chosen or [wanted])
            away = [(at[0] - wanted[0]) ** 2 + (at[1] - wanted[1]) ** 2 for at in chosen]
            moved = (place.x - wanted[0]) ** 2 + (place.y - wanted[1]) ** 2
            assert moved == min(away, default=0)
            distances.add(min(away, default=-1))
        assert {0, 1} <= distances  # where it was wanted, and beside it


def test_where_nothing_fits_the_game_says_why():
    with playing() as (player, moment):
        reason = player.act(told("Build_SupplyDepot_pt", rows_of(moment, "SCV")[:1], at=(2.5, 3.5)))
        assert reason == "CantBuildLocationInvalid"
        place = player.sent.actions[0].action_raw.unit_command.target_world_space_pos
        assert (place.x, place.y) == (2.5, 3.5)


def test_a_building_stands_where_it_was_moved_to():
    with playing() as (player, moment):
        x, y = place_of(moment, rows_of(moment, "CommandCenter")[0])
        wanted = told("Build_SupplyDepot_pt", rows_of(moment, "SCV")[:1], at=(x + 2.5, y + 2.5))
        assert player.act(wanted) is None
        sent = player.sent.actions[0].action_raw.unit_command.target_world_space_pos
        for _ in range(4):
            moment = player.step(100)
        (depot,) = rows_of(moment, "SupplyDepot")
        place = place_of(moment, depot)
        assert max(abs(place[0] - sent.x), abs(place[1] - sent.y)) <= 0.5
        assert max(abs(place[0] - x), abs(place[1] - y)) >= 3.5  # beside the hall, not in it


def test_a_game_that_ends_has_a_result_and_a_replay():
    with playing() as (player, moment):
        player.step(30)
        end = debug_pb.DebugEndGame(end_result=debug_pb.DebugEndGame.DeclareVictory)
        player.debug(debug_pb.DebugCommand(end_game=end))
        moment = player.observe()
        assert moment.result == sc_pb.Victory
        assert len(player.replay()) > 500


def test_a_game_that_cannot_begin_says_why():
    with Session() as session:
        player = Player(session)
        nowhere = GameSetup(
            map_path="Melee/Nowhere.SC2Map", race=Race.TERRAN, opponent=EASY, seed=3
        )
        with pytest.raises(RequestError, match="refused create_game: InvalidMapPath"):
            player.start(nowhere)
        with pytest.raises(RequestError, match="refused step: "):
            player.step(1)


@pytest.mark.parametrize(("number", "opponent"), [(0, EASY), (3, EASY), (2, None)])
def test_a_seat_that_is_not_there_is_refused(number: int, opponent: Opponent | None):
    with pytest.raises(ValueError, match=f"player must be .* got {number}"):
        GameSetup(map_path=MAP, race=Race.TERRAN, opponent=opponent, seed=3, player=number)


def test_one_setup_is_one_game():
    moments = []
    for _ in range(2):
        with playing() as (player, moment):
            player.act(told("Attack_pt", rows_of(moment, "SCV"), at=(40, 40)))
            for _ in range(5):
                moment = player.step(100)
            moments.append(moment)
    for ours, theirs in zip(
        moments[0].shown.observation, moments[1].shown.observation, strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)
