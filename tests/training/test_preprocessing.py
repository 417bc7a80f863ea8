"""Replays to a dataset: the report, resuming, duplicates, refusals, all on written replays."""

import errno
import hashlib
import json
import logging
import math
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from envs.interface import INTERFACE_VERSION, Knowledge, Race
from envs.launch import in_process
from envs.replays.reconstruction import ReplayGame, decode_replay
from envs.replays.rerun import rerun_replay
from tests.envs.games import play_at_random
from tests.replay_writer import Script, opening, small_game
from training.cli import run as run_command_line
from training.dataset import read_dataset
from training.preprocessing import (
    RECORD_VERSION,
    ReplaysConfig,
    decode_one,
    run,
)
from training.records import game_key, game_split
from training.replay_files import find_replays
from training.shard import read_facts, read_timeline

ROOT = Path(__file__).parent.parent.parent


def replay_folder(folder: Path, *, num_games: int = 3) -> Path:
    """Games that can be decoded, and one file that is no replay."""
    folder.mkdir()
    for number in range(num_games):
        small_game(random_seed=number).write(folder / f"game{number}.SC2Replay")
    (folder / "note.txt").write_text("not looked at")
    (folder / "broken.SC2Replay").write_bytes(b"no replay")
    return folder


def preprocess(replays: Path, dataset: Path, **options: Any) -> dict[str, Any]:
    """Decode in this process, and return the report."""
    run(ReplaysConfig(**{"replays": replays, "dataset": dataset, "workers": 1} | options))
    return json.loads((dataset / "report.json").read_text())


def game_id(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def lasting_bytes(dataset: Path) -> dict[str, bytes]:
    """The files of a dataset that must be the same from run to run: all but times."""
    return {
        str(path.relative_to(dataset)): path.read_bytes()
        for path in sorted(dataset.rglob("*"))
        if path.is_file() and path.suffix != ".time" and path.name != "report.json"
    }


def index_of(dataset: Path) -> list[dict[str, Any]]:
    return pq.read_table(dataset / "index.parquet").to_pylist()


# Replays that the engine plays back.


def test_a_replay_of_the_engine_is_played_back_to_a_dataset(tmp_path: Path):
    with in_process() as connection:
        played = play_at_random(connection, seed=1, loops=900, longest_wait=40)
        again = rerun_replay(connection, played.replay)
    folder, dataset = tmp_path / "replays", tmp_path / "out"
    folder.mkdir()
    (folder / "game.SC2Replay").write_bytes(played.replay)
    preprocess(folder, dataset, knowledge=Knowledge.GAME)
    (row,) = index_of(dataset)
    assert read_dataset(dataset).knowledge is Knowledge.GAME
    assert (row["race"], row["opponent_race"]) == (Race.TERRAN, Race.ZERG)
    assert row["clean_mapped"] == len(played.done)
    read = read_timeline(dataset / row["shard"], row["row"])
    for name, value in again.timelines[0]._asdict().items():
        np.testing.assert_array_equal(getattr(read, name), value, err_msg=name)
        if isinstance(value, np.ndarray):
            assert getattr(read, name).dtype == value.dtype, name


def test_a_replay_of_the_engine_has_no_events_and_says_so(tmp_path: Path):
    with in_process() as connection:
        played = play_at_random(connection, seed=1, loops=50, longest_wait=40)
    (tmp_path / "replays").mkdir()
    (tmp_path / "replays" / "game.SC2Replay").write_bytes(played.replay)
    preprocess(tmp_path / "replays", tmp_path / "out")
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["refused"] == {"no game events": ["game.SC2Replay"]}


# What a run leaves.


def test_every_game_becomes_a_shard_and_two_rows_of_the_index(tmp_path: Path):
    replays = replay_folder(tmp_path / "replays")
    preprocess(replays, tmp_path / "out")
    ids = sorted(game_id(path) for path in replays.glob("game*"))
    assert sorted(path.stem for path in (tmp_path / "out" / "shards").iterdir()) == ids
    rows = index_of(tmp_path / "out")
    assert [(row["game_id"], row["row"]) for row in rows] == [(i, r) for i in ids for r in (0, 1)]
    for row in rows:
        timeline = read_timeline(tmp_path / "out" / row["shard"], row["row"])
        assert timeline.num_steps == row["steps"] == row["commands"] + row["synthetic"]
        record = json.loads((tmp_path / "out" / "records" / f"{row['game_id']}.json").read_text())
        assert row["split"] == game_split(game_key(record)).value


def test_the_index_tells_of_each_player(tmp_path: Path):
    replays = replay_folder(tmp_path / "replays", num_games=1)
    preprocess(replays, tmp_path / "out")
    first, second = index_of(tmp_path / "out")
    told = ("player", "race", "opponent_race", "result", "mmr", "league", "commands")
    assert [first[name] for name in told] == [1, Race.TERRAN, Race.ZERG, 1, 3500, 5, 7]
    assert [second[name] for name in told] == [2, Race.ZERG, Race.TERRAN, -1, None, None, 3]
    assert first["map_name"] == "Tiny Île"
    assert first["version"] == "5.0.3.80949"
    assert first["game_loops"] == 2000
    assert first["clean_mapped"] == 7
    facts = read_facts(tmp_path / "out" / first["shard"], 0)
    assert (facts.name, facts.chat) == ("Anna", "900 1: gl hf")


def test_the_report_counts_what_was_read_and_what_was_refused(tmp_path: Path):
    replays = replay_folder(tmp_path / "replays")
    script = opening(random_seed=77, base_build=76114)
    script.command(10, 1, (60000, 0))
    script.select(20, 4, script.enemy[2:])
    script.command(20, 4, None, at=(9.0, 9.0), flags=0x108)
    script.write(replays / "other.SC2Replay")
    report = preprocess(replays, tmp_path / "out")
    assert report["games"] == 4
    assert report["refused"] == {"not a replay": ["broken.SC2Replay"]}
    # Each small game: ten commands, all clean and mapped, one a repeat; three produce something.
    # The other game: two commands, of which one has neither a name nor a selection.
    assert report["commands"] == 32
    assert report["clean_fraction"] == report["clean_mapped_fraction"] == round(31 / 32, 5)
    assert report["plausible_fraction"] == round(31 / 32, 5)
    assert report["repeat_fraction"] == round(3 / 32, 5)
    assert report["no_effect_fraction"] == 0
    assert report["producer_fraction"] == 1.0
    assert report["unmapped"] == {"unnamed": 1}
    assert {build: part["games"] for build, part in report["by_base_build"].items()} == {
        "76114": 1,
        "80949": 3,
    }
    assert report["by_base_build"]["76114"]["clean_fraction"] == 0.5
    legality = report["legality"]
    assert legality["by_function"]["Smart_pt"] == {
        "labels": 13,
        "forbidden": 0,
        "forbidden_fraction": 0,
    }
    assert legality["forbidden_fraction"] == 0
    sizes = [sum(p.stat().st_size for p in paths) for paths in (
        (tmp_path / "out" / "shards").iterdir(),
        [*replays.glob("game*"), replays / "other.SC2Replay"],
    )]  # fmt: skip
    assert report["bytes_per_replay_byte"] == round(sizes[0] / sizes[1], 3)
    assert report["cpu_seconds_per_game"] > 0


def test_the_report_measures_where_units_were_believed(tmp_path: Path):
    replays = tmp_path / "replays"
    replays.mkdir()
    script = opening()
    script.select(10, 1, script.own[1:2])
    script.command(10, 1, ("move", 0), at=(64.5, 30.5))
    script.command(11, 4, ("stop", 0))
    # Thirty cells at 0.17578 are 170.7 loops, so it has arrived; then the tracker reports it.
    script.positions(240, {script.own[1]: (67, 34)})
    script.command(300, 1, ("stop", 0))
    script.write(replays / "one.SC2Replay")
    report = preprocess(replays, tmp_path / "out")
    # Believed at (64.5, 30.5), last known at (34.5, 30.5), reported at (67.5, 34.5): five cells,
    # and 33.24; the histogram's bins are eighths of a cell.
    assert report["position_error_median"] == pytest.approx(5, abs=0.15)
    assert report["position_error_last_known_median"] == pytest.approx(33.24, abs=0.125)
    assert report["enemy_position_error_median"] is None


def test_a_folder_of_refused_files_gives_an_empty_dataset(tmp_path: Path):
    replays = replay_folder(tmp_path / "replays", num_games=0)
    report = preprocess(replays, tmp_path / "out")
    assert report["games"] == report["commands"] == 0
    assert report["clean_fraction"] is None
    assert index_of(tmp_path / "out") == []


def test_refusals_are_recorded_with_their_detail(tmp_path: Path):
    replays = replay_folder(tmp_path / "replays", num_games=1)
    small_game(game_loops=100).write(replays / "short.SC2Replay")
    report = preprocess(replays, tmp_path / "out")
    assert report["refused"] == {
        "not a replay": ["broken.SC2Replay"],
        "too short": ["short.SC2Replay"],
    }
    path = tmp_path / "out" / "records" / f"{game_id(replays / 'short.SC2Replay')}.json"
    assert "100 game loops" in json.loads(path.read_text())["detail"]


def test_subfolders_and_other_spellings_are_found(tmp_path: Path):
    replays = tmp_path / "replays"
    (replays / "b" / "deep").mkdir(parents=True)
    (replays / "folder.SC2Replay").mkdir()
    small_game().write(replays / "b" / "deep" / "one.sc2replay")
    small_game().write(replays / "a.SC2REPLAY")
    names = [replay.name for replay in find_replays(replays)]
    assert names == ["a.SC2REPLAY", str(Path("b", "deep", "one.sc2replay"))]


def test_only_the_first_files_are_decoded_if_so_asked(tmp_path: Path):
    replays = replay_folder(tmp_path / "replays")
    report = preprocess(replays, tmp_path / "out", limit=2)  # the broken one and a game
    assert (report["games"], len(report["refused"])) == (1, 1)


# Resuming.


def test_a_second_run_decodes_nothing_and_changes_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    replays = replay_folder(tmp_path / "replays")
    preprocess(replays, tmp_path / "out")
    before = lasting_bytes(tmp_path / "out")
    times = {p: p.stat().st_mtime_ns for p in (tmp_path / "out" / "shards").iterdir()}
    with caplog.at_level(logging.INFO):
        preprocess(replays, tmp_path / "out")
    assert "4 of 4 replays need no decoding" in caplog.text
    assert lasting_bytes(tmp_path / "out") == before
    assert {p: p.stat().st_mtime_ns for p in times} == times


def test_a_run_that_lost_some_records_ends_in_the_same_bytes(tmp_path: Path):
    replays = replay_folder(tmp_path / "replays")
    preprocess(replays, tmp_path / "out")
    before = lasting_bytes(tmp_path / "out")
    records = sorted((tmp_path / "out" / "records").glob("*.json"))
    records[0].unlink()
    records[2].unlink()
    (tmp_path / "out" / "shards" / "half.partial").write_bytes(b"half a file")
    (tmp_path / "out" / "index.parquet").unlink()
    preprocess(replays, tmp_path / "out")
    assert lasting_bytes(tmp_path / "out") == before


def test_a_shard_that_was_lost_is_written_again(tmp_path: Path):
    replays = replay_folder(tmp_path / "replays")
    preprocess(replays, tmp_path / "out")
    before = lasting_bytes(tmp_path / "out")
    next((tmp_path / "out" / "shards").iterdir()).unlink()
    preprocess(replays, tmp_path / "out")
    assert lasting_bytes(tmp_path / "out") == before


def test_files_that_come_later_are_added(tmp_path: Path):
    replays = replay_folder(tmp_path / "replays", num_games=2)
    preprocess(replays, tmp_path / "out")
    small_game(random_seed=50).write(replays / "later.SC2Replay")
    assert preprocess(replays, tmp_path / "out")["games"] == 3
    preprocess(replays, tmp_path / "at once")
    assert lasting_bytes(tmp_path / "out") == lasting_bytes(tmp_path / "at once")


def test_a_run_that_was_stopped_before_its_first_file_goes_on(tmp_path: Path):
    replays = replay_folder(tmp_path / "replays", num_games=1)
    (tmp_path / "out" / "shards").mkdir(parents=True)
    (tmp_path / "out" / "dataset.json.77.partial").write_text("{")
    assert preprocess(replays, tmp_path / "out")["games"] == 1
    assert not list((tmp_path / "out").rglob("*.partial"))


@pytest.mark.parametrize("workers", [1, 2])
def test_a_shard_that_cannot_be_written_stops_the_run_until_it_can(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], workers: int
):
    replays = replay_folder(tmp_path / "replays", num_games=2)
    in_the_way = tmp_path / "out" / "shards" / f"{game_id(replays / 'game0.SC2Replay')}.parquet"
    in_the_way.mkdir(parents=True)
    arguments = ["replays", str(replays), str(tmp_path / "out"), "--workers", str(workers)]
    assert run_command_line(arguments) == 2
    *_, said = capsys.readouterr().err.splitlines()
    assert said.startswith(f"latentstar replays: cannot complete {tmp_path / 'out'}: ")
    assert "Is a directory" in said
    in_the_way.rmdir()
    report = preprocess(replays, tmp_path / "out")
    assert (report["games"], list(report["refused"])) == (2, ["not a replay"])


def test_a_full_disk_is_no_fault_of_the_replay(tmp_path: Path):
    replays = replay_folder(tmp_path / "replays", num_games=1)
    (_, replay) = find_replays(replays)
    for folder in ("shards", "records"):
        (tmp_path / "out" / folder).mkdir(parents=True)
    shard = tmp_path / "out" / "shards" / f"{game_id(replay.path)}.parquet"
    unfinished = shard.with_name(f"{shard.name}.{os.getpid()}.partial")
    unfinished.symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left on device"):
        decode_one(replay, ReplaysConfig(replays=replays, dataset=tmp_path / "out"))
    assert not list((tmp_path / "out" / "records").iterdir())


def test_a_replay_that_could_not_be_read_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    replays = replay_folder(tmp_path / "replays", num_games=1)

    def failing(path: Path) -> ReplayGame:
        raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))

    with monkeypatch.context() as patched:
        patched.setattr("training.preprocessing.decode_replay", failing)
        report = preprocess(replays, tmp_path / "out")
    assert report["refused"] == {"cannot be read": ["broken.SC2Replay", "game0.SC2Replay"]}
    report = preprocess(replays, tmp_path / "out")
    assert (report["games"], report["refused"]) == (1, {"not a replay": ["broken.SC2Replay"]})


def start(replays: Path, dataset: Path, **options: float) -> subprocess.Popen[bytes]:
    """Begin a run in a process of its own."""
    program = (
        "import sys, json\nfrom pathlib import Path\n"
        "from training.preprocessing import ReplaysConfig, run\n"
        "replays, dataset = map(Path, sys.argv[1:3])\n"
        "options = json.loads(sys.argv[3])\n"
        "run(ReplaysConfig(replays=replays, dataset=dataset, workers=1, **options))\n"
    )
    arguments = [str(replays), str(dataset), json.dumps(options)]
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments], cwd=ROOT, stderr=subprocess.DEVNULL
    )


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert process.poll() is None, "the process ended before it was killed"
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_run_that_is_killed_goes_on_to_the_same_bytes(tmp_path: Path):
    replays = replay_folder(tmp_path / "replays", num_games=150)
    process = start(replays, tmp_path / "out")
    records = tmp_path / "out" / "records"
    try:
        wait_for(lambda: len(list(records.glob("*.json"))) >= 5, process)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert 5 <= len(list(records.glob("*.json"))) < 151
    assert not (tmp_path / "out" / "index.parquet").exists()
    preprocess(replays, tmp_path / "out")
    preprocess(replays, tmp_path / "undisturbed")
    assert lasting_bytes(tmp_path / "out") == lasting_bytes(tmp_path / "undisturbed")


# Duplicates.


def test_the_same_bytes_twice_are_one_game(tmp_path: Path):
    replays = replay_folder(tmp_path / "replays", num_games=2)
    shutil.copy(replays / "game0.SC2Replay", replays / "zcopy.SC2Replay")
    report = preprocess(replays, tmp_path / "out")
    assert report["games"] == 2
    assert report["refused"]["duplicate"] == ["zcopy.SC2Replay"]
    assert (
        tmp_path / "out" / "shards" / f"{game_id(replays / 'zcopy.SC2Replay')}.parquet"
    ).exists()


def other_copy(path: Path, **settings: Any) -> Path:
    """The same game as its other player saved it: the seed is the same, the bytes are not."""
    script: Script = small_game(**settings)
    script.chat(1999, 4, "only the other side read this")
    return script.write(path)


def test_a_game_saved_by_both_players_is_one_game_and_the_first_is_kept(tmp_path: Path):
    replays = replay_folder(tmp_path / "replays", num_games=2)
    copy = other_copy(replays / "game1 again.SC2Replay", random_seed=1)
    report = preprocess(replays, tmp_path / "out")
    assert report["games"] == 2
    # "game1 again" is before "game1.SC2Replay" by name.
    assert report["refused"]["duplicate"] == ["game1.SC2Replay"]
    shards = {path.stem for path in (tmp_path / "out" / "shards").iterdir()}
    assert shards == {game_id(copy), game_id(replays / "game0.SC2Replay")}
    assert {row["game_id"] for row in index_of(tmp_path / "out")} == shards


def test_the_second_copy_takes_over_when_the_first_is_taken_away(tmp_path: Path):
    replays = replay_folder(tmp_path / "replays", num_games=1)
    copy = other_copy(replays / "a.SC2Replay", random_seed=0)
    preprocess(replays, tmp_path / "out")
    copy.unlink()
    preprocess(replays, tmp_path / "out")
    kept = game_id(replays / "game0.SC2Replay")
    assert {row["game_id"] for row in index_of(tmp_path / "out")} == {kept}
    assert read_timeline(tmp_path / "out" / "shards" / f"{kept}.parquet", 0).num_steps


def test_other_races_with_the_same_seed_are_another_game(tmp_path: Path):
    replays = replay_folder(tmp_path / "replays", num_games=1)
    script = small_game(random_seed=0)
    hall = next(fields for _, _, fields in script.tracker if fields.get("m_x") == 140)
    hall["m_unitTypeName"] = b"Nexus"
    script.write(replays / "other.SC2Replay")
    assert preprocess(replays, tmp_path / "out")["games"] == 2


def test_broken_files_are_not_duplicates_of_one_another(tmp_path: Path):
    replays = replay_folder(tmp_path / "replays", num_games=1)
    shutil.copy(replays / "broken.SC2Replay", replays / "broken too.SC2Replay")
    report = preprocess(replays, tmp_path / "out")
    assert report["refused"] == {"not a replay": ["broken too.SC2Replay", "broken.SC2Replay"]}


# What is refused as a whole.


def test_a_missing_folder_is_refused(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match="replays must be a folder"):
        preprocess(tmp_path / "nowhere", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_without_replays_is_refused(tmp_path: Path):
    (tmp_path / "replays").mkdir()
    with pytest.raises(ValueError, match="it holds none"):
        preprocess(tmp_path / "replays", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("key", "value"),
    [("interface_version", INTERFACE_VERSION + 1), ("record_version", 0), ("knowledge", "game")],
)
def test_a_dataset_of_another_kind_is_refused(tmp_path: Path, key: str, value: object):
    replays = replay_folder(tmp_path / "replays", num_games=1)
    (tmp_path / "out").mkdir()
    description = {
        "interface_version": INTERFACE_VERSION,
        "record_version": RECORD_VERSION,
        "knowledge": "events",
    }
    (tmp_path / "out" / "dataset.json").write_text(json.dumps(description | {key: value}))
    with pytest.raises(ValueError, match=f"dataset of {key}"):
        preprocess(replays, tmp_path / "out")


def test_a_folder_of_something_else_is_refused_and_left_as_it_was(tmp_path: Path):
    replays = replay_folder(tmp_path / "replays", num_games=1)
    (tmp_path / "out" / "chapters").mkdir(parents=True)
    (tmp_path / "out" / "chapters" / "thesis.tex").write_text("years of work")
    before = sorted((tmp_path / "out").rglob("*"))
    with pytest.raises(ValueError, match="must be empty or a dataset"):
        preprocess(replays, tmp_path / "out")
    assert sorted((tmp_path / "out").rglob("*")) == before


@pytest.mark.parametrize("content", ['{"interface_version": 99}', "[]", "{"])
def test_a_description_of_something_else_is_refused_and_left_alone(tmp_path: Path, content: str):
    replays = replay_folder(tmp_path / "replays", num_games=1)
    (tmp_path / "out").mkdir()
    path = tmp_path / "out" / "dataset.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=r"must be a dataset|dataset\.json is damaged"):
        preprocess(replays, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == [path]


def test_a_file_where_the_dataset_should_be_is_refused(tmp_path: Path):
    replays = replay_folder(tmp_path / "replays", num_games=1)
    (tmp_path / "out").write_text("years of work")
    with pytest.raises(ValueError, match="wanted a folder, it is a file"):
        preprocess(replays, tmp_path / "out")
    assert (tmp_path / "out").read_text() == "years of work"


@pytest.mark.parametrize(
    "options",
    [
        {"workers": 0},
        {"timeout_seconds": 0.0},
        {"timeout_seconds": math.nan},
        {"timeout_seconds": math.inf},
        {"memory_mib": 0},
        {"memory_mib": -1},
        {"limit": 0},
    ],
)
def test_impossible_settings_are_refused(tmp_path: Path, options: dict[str, Any]):
    with pytest.raises(ValueError, match=next(iter(options))):
        ReplaysConfig(replays=tmp_path, dataset=tmp_path, **options)


# What is refused one by one.


def test_the_documentation_names_every_reason():
    sources = [path for name in ("envs", "training") for path in (ROOT / name).rglob("*.py")]
    code = "".join(path.read_text(encoding="utf-8") for path in sources)
    reasons = set(re.findall(r'ReplayRefused\(\s*"([^"]+)"', code))
    reasons |= set(re.findall(r'(?:refusal|_refuse)\([^")\n]*, "([^"]+)"', code))
    assert {"no commands", "too slow", "decoder died", "duplicate"} <= reasons
    documented = (ROOT / "docs" / "replays.md").read_text(encoding="utf-8")
    assert sorted(reason for reason in reasons if f"`{reason}`" not in documented) == []


def decode_alone(tmp_path: Path, script: Script, **options: Any) -> dict[str, Any]:
    """Decode one game, and return its record."""
    for name in ("replays", "out/shards", "out/records"):
        (tmp_path / name).mkdir(parents=True)
    script.write(tmp_path / "replays" / "one.SC2Replay")
    (replay,) = find_replays(tmp_path / "replays")
    config = ReplaysConfig(replays=tmp_path / "replays", dataset=tmp_path / "out", **options)
    before = signal.getsignal(signal.SIGALRM)
    decode_one(replay, config)
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    (path,) = (tmp_path / "out" / "records").glob("*.json")
    return json.loads(path.read_text())


def test_a_replay_that_takes_too_long_is_refused(tmp_path: Path):
    script = small_game()
    for i in range(20_000):  # seconds of work
        script.command(1400 + i // 50, 1, ("stop", 0))
    (tmp_path / "replays").mkdir()
    script.write(tmp_path / "replays" / "endless.SC2Replay")
    # In a process of its own: a signal that falls into another's callback goes by unheard.
    process = start(tmp_path / "replays", tmp_path / "out", timeout_seconds=0.2)
    assert process.wait(timeout=120) == 0
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["refused"] == {"too slow": ["endless.SC2Replay"]}
    assert not list((tmp_path / "out" / "shards").iterdir())


def test_a_replay_that_takes_too_much_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def greedy(path: Path) -> ReplayGame:
        _ = bytearray(1 << 30)
        return decode_replay(path)

    monkeypatch.setattr("training.preprocessing.decode_replay", greedy)
    record = decode_alone(tmp_path, small_game(), memory_mib=512)
    assert record["refused"] == "too much memory"
    assert not list((tmp_path / "out" / "shards").iterdir())


def test_a_replay_within_its_bounds_is_decoded(tmp_path: Path):
    assert "refused" not in decode_alone(tmp_path, small_game())


# Splits and workers.


def test_splits_are_eighty_ten_ten_and_stay():
    splits = [game_split(f"game{i}").value for i in range(5000)]
    assert abs(splits.count("train") / 5000 - 0.8) < 0.02
    assert abs(splits.count("validation") / 5000 - 0.1) < 0.015
    # By hand: the first eight hex digits of the hash of "split game0", modulo a hundred.
    place = int(hashlib.sha256(b"split game0").hexdigest()[:8], 16) % 100
    assert (place < 80) == (splits[0] == "train")


def test_two_workers_write_the_same_bytes_as_one(tmp_path: Path):
    replays = replay_folder(tmp_path / "replays", num_games=6)
    other_copy(replays / "again.SC2Replay", random_seed=3)
    preprocess(replays, tmp_path / "one")
    preprocess(replays, tmp_path / "two", workers=2)
    assert lasting_bytes(tmp_path / "one") == lasting_bytes(tmp_path / "two")
