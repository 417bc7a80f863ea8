"""The benchmark of mini-games: scripts know the trick, random players do not, and files say so."""

import json
from pathlib import Path

import numpy as np
import pytest

from envs.interface import Alliance
from training.bench.mini_game_client import STEP_LOOPS, Ability, Command, MiniGame, Unit, View
from training.bench.mini_game_players import MiniGamePlayer, RandomPlayer
from training.bench.mini_game_scripts import TakeNearestShards, away
from training.bench.mini_game_table import (
    PUBLISHED,
    mini_game_figure,
    mini_game_table,
    plot_mini_games,
    summary,
)
from training.bench.mini_games import (
    PLOT_FILE,
    RESULT_FILE,
    SCRIPTS,
    TABLE_FILE,
    MiniGamesConfig,
    Who,
    play,
    run,
)

SCV, MARINE, SHARD = 45, 48, 1680
MOVE, GATHER, TRAIN_SCV, STOP = 3794, 3666, 524, 3665


def score_after(game: MiniGame, player: MiniGamePlayer, loops: int) -> int:
    for _ in range(loops // STEP_LOOPS):
        if game.is_over:
            break
        game.step(player.act(game.view()))
    return game.view().score


@pytest.mark.parametrize(
    ("name", "loops", "margin"),
    [
        ("MoveToBeacon", 640, 4),
        ("CollectMineralShards", 640, 15),
        ("FindAndDefeatZerglings", 960, 8),
        ("DefeatRoaches", 1920, 20),
        ("DefeatZerglingsAndBanelings", 960, 100),
        ("CollectMineralsAndGas", 960, 200),
        ("BuildMarines", 3600, 3),
    ],
)
def test_scripts_score_more_than_random_players(name: str, loops: int, margin: int):
    with MiniGame(name, seed=0) as game:
        scripted = score_after(game, SCRIPTS[name](), loops)
    with MiniGame(name, seed=0) as game:
        player = RandomPlayer(game.abilities, np.random.default_rng(0))
        at_random = score_after(game, player, min(loops, 960))
    assert scripted - at_random > margin


@pytest.mark.parametrize(
    ("name", "who"),
    [("DefeatZerglingsAndBanelings", Who.RANDOM), ("CollectMineralShards", Who.SCRIPTED)],
)
def test_the_same_seed_gives_the_same_score_and_others_give_others(name: str, who: Who):
    scores = [play(name, who, seed=1, episode=episode) for episode in (0, 0, 1, 2)]
    assert scores[0] == scores[1]
    assert len(set(scores)) > 1


def test_a_step_is_a_command_and_eight_loops_and_the_last_one_ends_the_game():
    with MiniGame("MoveToBeacon", seed=0) as game:
        before = game.view()
        (marine,) = before.own(MARINE)
        x, y = marine.at
        goal = (x + 2 if x < 32 else x - 2, y)
        game.step(Command(MOVE, (marine.tag,), goal))
        after = game.view()
        assert after.loop - before.loop == STEP_LOOPS
        assert 0.5 < abs(after.own(MARINE)[0].x - x) < 2
        while not game.is_over:
            game.step(None)
        assert game.view().loop == 1920


def test_units_can_be_asked_what_they_can_do_and_what_for():
    with MiniGame("CollectMineralsAndGas", seed=0) as game:
        (hall,), worker = game.view().own(18), game.view().own(SCV)[0]
        trains = {ability.ability: ability for ability in game.abilities(hall.tag)}[TRAIN_SCV]
        assert (trains.takes_none, trains.takes_point, trains.takes_unit) == (True, False, False)
        gathers = {ability.ability: ability for ability in game.abilities(worker.tag)}[295]
        assert (gathers.takes_none, gathers.takes_point, gathers.takes_unit) == (False, False, True)


def view(*units: Unit) -> View:
    return View(0, 0, 50, 12, 15, (20, 23, 44, 41), units)


def unit(tag: int, unit_type: int, alliance: Alliance, x: float, y: float) -> Unit:
    """A Marine's health, nothing to do and nothing to wait for."""
    return Unit(
        tag=tag,
        type=unit_type,
        alliance=alliance,
        x=x,
        y=y,
        health=45.0,
        is_built=True,
        weapon_cooldown=0.0,
        order=0,
        aim=0,
        num_orders=0,
        num_harvesters=0,
        num_wanted_harvesters=0,
    )


def test_random_players_draw_unit_command_and_target_evenly():
    ours = [unit(tag, MARINE, Alliance.SELF, 30.0, 30.0) for tag in (1, 2)]
    scene = view(*ours, unit(9, SHARD, Alliance.NEUTRAL, 25.0, 25.0))
    abilities = [Ability(STOP, "None"), Ability(MOVE, "PointOrUnit")]
    player = RandomPlayer(lambda _: abilities, np.random.default_rng(0))
    commands = [player.act(scene) for _ in range(1000)]
    drawn = [command for command in commands if command is not None]
    assert len(drawn) == 1000
    assert 400 < sum(command.tags == (1,) for command in drawn) < 600
    moves = [command for command in drawn if command.ability == MOVE]
    assert 400 < len(moves) < 600
    places = [move.target for move in moves if isinstance(move.target, tuple)]
    assert 200 < len(places) < 300
    assert {move.target for move in moves if isinstance(move.target, int)} == {1, 2, 9}
    assert 20 <= min(x for x, _ in places) < 22 < 42 < max(x for x, _ in places) <= 44
    assert all(command.target is None for command in drawn if command.ability == STOP)


def test_random_players_pass_over_units_that_can_do_nothing():
    scene = view(*(unit(tag, MARINE, Alliance.SELF, 30.0, 30.0) for tag in (1, 2)))
    player = RandomPlayer(
        lambda tag: [Ability(STOP, "None")] if tag == 2 else [], np.random.default_rng(0)
    )
    assert {player.act(scene) for _ in range(20)} == {Command(STOP, (2,), None)}
    idle = RandomPlayer(lambda _: [], np.random.default_rng(0))
    assert idle.act(scene) is None


def test_two_marines_do_not_walk_to_the_same_shard():
    marines = [unit(tag, MARINE, Alliance.SELF, 30.0, 30.0) for tag in (1, 2)]
    shards = [unit(tag, SHARD, Alliance.NEUTRAL, x, 30.0) for tag, x in ((8, 31.0), (9, 33.0))]
    player = TakeNearestShards()
    first, second = (player.act(view(*marines, *shards)) for _ in range(2))
    assert first == Command(MOVE, (1,), (31.0, 30.0))
    assert second == Command(MOVE, (2,), (33.0, 30.0))
    assert player.act(view(*marines, *shards)) is None


def test_stepping_back_is_straight_away_from_the_threat():
    assert away((3.0, 4.0), (0.0, 0.0), 5.0) == pytest.approx((6.0, 8.0))


def test_the_table_has_every_mini_game_with_interval_best_and_what_was_published():
    scores = {name: {"random": [1, 3], "scripted": [200, 200]} for name in SCRIPTS}
    result = summary(scores, version="abc", seed=0)
    table = mini_game_table(result)
    assert "rules abc" in table
    assert "2 episodes each" in table
    assert "| MoveToBeacon | 2.0 (1.0 to 3.0), 3 | 200 (200 to 200), 200 | 1 | 28 | 26 |" in table
    assert all(f"| {name} |" in table for name in SCRIPTS)
    assert set(PUBLISHED) == set(SCRIPTS)


def test_one_episode_and_one_player_make_a_table_and_a_picture(tmp_path: Path):
    result = summary({"BuildMarines": {"random": [0]}}, version="abc", seed=0)
    assert "| BuildMarines | 0.0 (0.0 to 0.0), 0 | < 1 | 133 | 6 |" in mini_game_table(result)
    plot_mini_games(result, tmp_path / "plot.png")
    assert (tmp_path / "plot.png").stat().st_size > 1000


def test_the_picture_has_every_mean_in_numbers_above_all_scores():
    scores = {"BuildMarines": {"random": [0, 0], "scripted": [110, 130]}}
    scores["DefeatRoaches"] = {"random": [-9, 1], "scripted": [50, 52]}
    figure = mini_game_figure(summary(scores, version="abc", seed=0))
    labels = [list(panel.texts) for panel in figure.axes]
    words = [[text.get_text() for text in row] for row in labels]
    assert words == [["0.0", "120"], ["-4.0", "51.0"]]
    assert [[text.xy[1] for text in row] for row in labels] == [[0, 130], [1, 52]]


def test_the_benchmark_writes_numbers_table_and_picture(tmp_path: Path):
    config = MiniGamesConfig(
        out=tmp_path / "out", games=("DefeatRoaches", "DefeatZerglingsAndBanelings"), episodes=1
    )
    run(config)
    result = json.loads((config.out / RESULT_FILE).read_text())
    assert list(result["games"]) == ["DefeatRoaches", "DefeatZerglingsAndBanelings"]
    for name, game in result["games"].items():
        for who in Who:
            assert game[who.value]["scores"] == [play(name, who, seed=0, episode=0)]
    assert (config.out / TABLE_FILE).read_text() == mini_game_table(result)
    assert (config.out / PLOT_FILE).stat().st_size > 1000


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"games": ("Chess",)}, "games must be among .* got Chess"),
        ({"games": ()}, "games must be among .* got none$"),
        (
            {"games": ("MoveToBeacon", "BuildMarines", "MoveToBeacon")},
            "games must be different ones, got MoveToBeacon twice",
        ),
        ({"players": (Who.RANDOM, Who.RANDOM)}, "players must be .*, got random twice"),
        ({"players": ()}, "players must be at least one"),
        ({"episodes": 0}, "episodes must be at least 1, got 0"),
    ],
)
def test_impossible_benchmarks_are_refused(changes: dict[str, object], reason: str):
    with pytest.raises(ValueError, match=reason):
        MiniGamesConfig(**changes)  # type: ignore[arg-type]
