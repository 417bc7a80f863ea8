"""The benchmark of the engine: its scenes are as crowded as they say, and its numbers add up."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from s2clientprotocol import sc2api_pb2 as sc_pb

from envs.engine.match import Match, PlayerKind, PlayerSetup
from envs.engine.terrain import map_bytes, read_map
from training.bench.engine import (
    DecodeTime,
    EngineBench,
    EngineBenchConfig,
    LoopRate,
    StepTime,
    as_record,
    num_units,
    run,
    table_rows,
    top_up,
)
from training.bench.engine_clients import (
    OBSERVE,
    RAW,
    fill,
    in_process,
    over_the_socket,
    start_game,
)

MAP = "Melee/Simple64.SC2Map"


def bench() -> EngineBench:
    return EngineBench(
        version="abc",
        loops=(LoopRate(200, 204.4, 11_200.0),),
        steps=(StepTime("in process, raw", 0.51, 0.74),),
        decoding=(DecodeTime(180, 0.04, 2.0),),
        starts_seconds={"later start": 1.25},
    )


def test_real_time_is_22_4_loops_a_second():
    assert LoopRate(200, 200.0, 11_200.0).times_real_time == pytest.approx(500)


def test_the_table_and_the_record_have_every_number():
    rows = dict(table_rows(bench()))
    assert rows["loops a CPU second, 204 units"] == "11,200 = 500 x real time"
    assert rows["decoding 180 units"] == "0.040 ms, pysc2 2.00 = 50 x"
    record = as_record(bench())
    assert record["loops"][0]["times_real_time"] == pytest.approx(500)
    assert record["decoding"][0]["ratio"] == pytest.approx(50)


def test_matches_are_filled_up_for_both_players_and_go_on():
    players = [PlayerSetup(kind=PlayerKind.COMPUTER, race=race, difficulty=7) for race in (1, 3)]
    match = Match(read_map(map_bytes(MAP)), players, seed=1)
    top_up(match, 101)
    assert num_units(match) == 101
    owners = match.world.units["owner"][match.game.alive()]
    assert abs(int((owners == 1).sum()) - int((owners == 2).sum())) <= 2
    match.advance(200)
    assert match.loop == 200


@pytest.mark.parametrize("connect", [in_process, over_the_socket])
def test_clients_see_as_many_units_as_were_asked_for(connect: Any):
    with connect() as ask:
        start_game(ask, RAW, map_path=MAP, seed=2)
        fill(ask, 160)
        units = sc_pb.Response.FromString(ask(OBSERVE)).observation.observation.raw_data.units
        owners = np.array([unit.owner for unit in units])
        assert 150 <= int(np.isin(owners, (1, 2)).sum()) <= 170


def test_what_the_engine_refuses_is_told():
    with in_process() as ask, pytest.raises(ValueError, match="the engine refused"):
        start_game(ask, RAW, map_path="Melee/Nowhere.SC2Map", seed=2)


@pytest.mark.parametrize("map_path", ["mini_games/MoveToBeacon.SC2Map", "Nope"])
def test_a_map_that_is_not_for_two_is_refused_before_anything_is_measured(map_path: str):
    with pytest.raises(ValueError, match="for two players"):
        run(EngineBenchConfig(map_path=map_path))


def test_a_place_where_no_numbers_can_be_written_is_refused_before_anything_is_measured(
    tmp_path: Path,
):
    for place in (tmp_path, tmp_path / "nowhere" / "numbers.json"):
        with pytest.raises(ValueError, match=f"{place}: "):
            run(EngineBenchConfig(out=place))


@pytest.mark.parametrize("given", [{"loops": 0}, {"steps": 0}, {"seed": -1}])
def test_impossible_values_are_refused(given: dict[str, int]):
    with pytest.raises(ValueError, match="must be"):
        EngineBenchConfig(**given)
