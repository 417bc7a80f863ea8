"""Replays that the engine plays back: the steps are those that were played."""

from collections.abc import Iterator
from functools import partial
from itertools import pairwise

import numpy as np
import pytest
from s2clientprotocol import sc2api_pb2 as sc_pb

from agent.match import play_game
from agent.scripted.player import ScriptedPlayer
from envs.connection import InProcessConnection
from envs.game_client import RAW, GameClient, GameSetup, Opponent
from envs.interface import (
    MAX_DELAY,
    UNKNOWN,
    Action,
    EntityFeature,
    EntityLimits,
    Observation,
    Race,
)
from envs.launch import in_process
from envs.observations import GameMap
from envs.replays.archive import ReplayRefused
from envs.replays.rerun import RerunGame, base_build_of, rerun_replay
from envs.timeline import Step, StepFlag
from tests.envs.games import LIMITS, PLANE_SIZE, PlayedGame, function, play_at_random

# They depend on how often a player looks, who looks more often than at commands.
LOOKED_UP = [
    EntityFeature.POSITION_AGE,
    EntityFeature.MINERALS_MINED,
    EntityFeature.VESPENE_MINED,
]


@pytest.fixture
def game() -> Iterator[InProcessConnection]:
    with in_process() as connection:
        yield connection


@pytest.fixture(scope="module")
def played() -> PlayedGame:
    with in_process() as connection:
        return play_at_random(connection, seed=3, loops=3000, longest_wait=60, player=2)


@pytest.fixture(scope="module")
def rerun(played: PlayedGame) -> RerunGame:
    with in_process() as connection:
        return rerun_replay(connection, played.replay)


def steps_of(rerun: RerunGame) -> list[Step]:
    return list(rerun.timelines[0].steps(plane_size=PLANE_SIZE, limits=LIMITS))


def commands_of(rerun: RerunGame) -> list[Step]:
    return [step for step in steps_of(rerun) if not step.flags & StepFlag.SYNTHETIC]


def test_players_that_are_no_computers_are_told(rerun: RerunGame, played: PlayedGame):
    (player,) = rerun.players
    assert (player.player, player.race, player.opponent_race) == (2, Race.TERRAN, Race.ZERG)
    assert rerun.game_loops == played.last_loop


def test_commands_are_those_that_were_given(rerun: RerunGame, played: PlayedGame):
    commands = commands_of(rerun)
    assert len(commands) == len(played.done) > 20
    for step, done in zip(commands, played.done, strict=True):
        assert step.loop == done.moment.loop
        wanted = done.action
        assert step.action.action_type == wanted.action_type
        assert step.action.queued == wanted.queued
        assert set(step.action.selected_units.tolist()) == set(wanted.selected_units.tolist())
        assert step.action.target_unit == wanted.target_unit
        if wanted.action_type != function("Build_SupplyDepot_pt"):  # moved to where it fits
            assert step.action.target_location == wanted.target_location


def test_observations_are_those_that_the_player_was_shown(rerun: RerunGame, played: PlayedGame):
    for step, done in zip(commands_of(rerun), played.done, strict=True):
        shown = done.moment.shown.observation
        there, here = step.observation.entities.copy(), shown.entities.copy()
        there[:, LOOKED_UP] = here[:, LOOKED_UP] = 0
        np.testing.assert_array_equal(there, here)
        np.testing.assert_array_equal(step.observation.map_planes, shown.map_planes)
        np.testing.assert_array_equal(step.observation.scalars, shown.scalars)
        np.testing.assert_array_equal(step.observation.upgrades, shown.upgrades)


def test_waits_are_filled_with_synthetic_steps(rerun: RerunGame):
    steps = steps_of(rerun)
    assert steps[0].loop == 0
    loops = np.array([step.loop for step in steps])
    assert np.diff(loops).max() <= MAX_DELAY
    for before, step in pairwise(steps):
        if step.flags & StepFlag.SYNTHETIC:
            assert step.loop - before.loop == MAX_DELAY


def test_delays_are_the_loops_between_steps(rerun: RerunGame):
    steps = steps_of(rerun)
    for before, after in pairwise(steps):
        assert before.action.delay == after.loop - before.loop
    assert steps[-1].is_last


def test_reading_can_begin_in_the_middle(rerun: RerunGame):
    whole = steps_of(rerun)
    (timeline,) = rerun.timelines
    part = list(timeline.steps(17, plane_size=PLANE_SIZE, limits=LIMITS))
    assert len(part) == len(whole) - 17
    for here, there in zip(part, whole[17:], strict=True):
        np.testing.assert_array_equal(here.observation.entities, there.observation.entities)
        np.testing.assert_array_equal(here.observation.map_planes, there.observation.map_planes)


def test_what_is_understood_of_commands_is_counted(rerun: RerunGame, played: PlayedGame):
    counts = rerun.quality.counts
    assert counts["commands"] == counts["clean"] == counts["mapped"] == len(played.done)
    assert sum(rerun.quality.labels.values()) == len(played.done)


def test_a_replay_names_its_build(played: PlayedGame):
    assert base_build_of(played.replay) == 75689


def test_a_replay_of_computers_alone_is_refused(game: InProcessConnection):
    client = GameClient(game, plane_size=PLANE_SIZE)
    computer = sc_pb.PlayerSetup(type=sc_pb.Computer, race=1, difficulty=1)
    observer = sc_pb.PlayerSetup(type=sc_pb.Observer)
    create = sc_pb.RequestCreateGame(
        local_map=sc_pb.LocalMap(map_path="Melee/Simple64.SC2Map"),
        player_setup=[computer, computer, observer],
    )
    client.request(create_game=create)
    client.request(join_game=sc_pb.RequestJoinGame(observed_player_id=0, options=RAW))
    client.request(step=sc_pb.RequestStep(count=100))
    with pytest.raises(ReplayRefused, match="only computers played"):
        rerun_replay(game, client.replay())


def test_what_the_game_cannot_play_is_refused_with_its_words(
    game: InProcessConnection, played: PlayedGame
):
    with pytest.raises(ReplayRefused, match="cannot be played back"):
        rerun_replay(game, played.replay[:200])


# What a teacher would have done.


class Stubborn:
    """Always says the same, whatever it is shown."""

    sight = (64, EntityLimits(total=3))

    def __init__(self, race: Race) -> None:
        self.race = race
        self.game_map: GameMap | None = None

    def reset(self, game_map: GameMap, race: Race, *, seed: int) -> None:
        assert race is self.race
        self.game_map = game_map

    def act(self, observation: Observation) -> Action:
        assert len(observation.entities) <= 3
        rows = np.array([1, 0], np.int16)
        return Action(function("Attack_unit"), 77, 1, rows, 2, (UNKNOWN, UNKNOWN))


def test_a_teacher_is_asked_when_it_wants_and_at_each_command(rerun: RerunGame, played: PlayedGame):
    with in_process() as connection:
        taught = rerun_replay(connection, played.replay, teacher_of=Stubborn)
    (timeline,) = taught.timelines
    lessons = list(timeline.steps(plane_size=PLANE_SIZE, limits=LIMITS))
    for lesson in lessons:
        told = lesson.action
        assert (told.action_type, told.delay, told.queued) == (function("Attack_unit"), 77, 1)
        assert len(told.selected_units) == 2
        assert told.target_unit >= 0
    assert max(after.loop - before.loop for before, after in pairwise(lessons)) == 77
    at_loop = {lesson.loop: lesson for lesson in lessons}
    for step in commands_of(rerun):
        seen = at_loop[step.loop].observation
        there, here = seen.entities.copy(), step.observation.entities.copy()
        there[:, LOOKED_UP] = here[:, LOOKED_UP] = 0
        np.testing.assert_array_equal(there, here)
        np.testing.assert_array_equal(seen.scalars, step.observation.scalars)


def test_a_script_that_is_its_own_teacher_says_what_it_did():
    with in_process() as connection:
        player = ScriptedPlayer(Race.ZERG, style="roach")
        client = GameClient(connection, plane_size=player.sight.plane_size)
        opponent = Opponent(race=Race.TERRAN, difficulty=1)
        path = "Melee/Simple64.SC2Map"
        game = GameSetup(map_path=path, race=Race.ZERG, opponent=opponent, seed=0)
        play_game(client, player, game, max_loops=4000)
        replay = client.replay()
    with in_process() as connection:
        did = rerun_replay(connection, replay)
        teacher_of = partial(ScriptedPlayer, style="roach")
        says = rerun_replay(connection, replay, teacher_of=teacher_of)
    lessons = [lesson for lesson in steps_of(says) if lesson.action.action_type]
    steps = commands_of(did)
    assert [lesson.loop for lesson in lessons] == [step.loop for step in steps]
    assert len(steps) > 50
    for step, lesson in zip(steps, lessons, strict=True):
        assert lesson.action.action_type == step.action.action_type, step.loop
        assert set(lesson.action.selected_units) == set(step.action.selected_units)
        assert lesson.action.target_unit == step.action.target_unit
