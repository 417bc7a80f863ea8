"""The conversation with the engine: what is answered when, and what is refused how."""

import math
import random
from collections.abc import Iterator

import numpy as np
import pytest
from s2clientprotocol import common_pb2 as common_pb
from s2clientprotocol import debug_pb2 as debug_pb
from s2clientprotocol import error_pb2 as error_pb
from s2clientprotocol import query_pb2 as query_pb
from s2clientprotocol import raw_pb2 as raw_pb
from s2clientprotocol import sc2api_pb2 as sc_pb

from envs.engine.session import Session
from envs.engine.terrain import map_bytes
from envs.engine.versions import GameVersion
from tests.envs.engine.api_client import (
    COMMAND_CENTER,
    COMPUTER,
    MAP,
    MINI_GAME,
    OBSERVER,
    PARTICIPANT,
    SCV,
    STOP,
    TRAIN_SCV,
    Client,
    interface,
    joining,
    new_game,
)

GAME_REQUESTS = {
    "action": sc_pb.RequestAction(),
    "data": sc_pb.RequestData(),
    "debug": sc_pb.RequestDebug(),
    "game_info": sc_pb.RequestGameInfo(),
    "leave_game": sc_pb.RequestLeaveGame(),
    "obs_action": sc_pb.RequestObserverAction(),
    "observation": sc_pb.RequestObservation(),
    "query": query_pb.RequestQuery(),
    "restart_game": sc_pb.RequestRestartGame(),
    "save_replay": sc_pb.RequestSaveReplay(),
    "step": sc_pb.RequestStep(count=1),
}
UNKNOWN_ABILITY = 4999
DEPOT, BARRACKS = 319, 321
NOT_SUPPORTED, SUCCESS = 2, 1


@pytest.fixture
def client() -> Iterator[Client]:
    with Session() as session:
        yield Client(session)


@pytest.fixture
def player(client: Client) -> Client:
    """A client in a game against a computer."""
    assert client.start(new_game(), joining()) == 1
    return client


def surrender() -> sc_pb.RequestDebug:
    end = debug_pb.DebugEndGame(end_result=debug_pb.DebugEndGame.Surrender)
    return sc_pb.RequestDebug(debug=[debug_pb.DebugCommand(end_game=end)])


def test_a_session_begins_launched_and_tells_what_it_poses_as(client: Client):
    ping = client.send(ping=sc_pb.RequestPing()).ping
    assert client.status == sc_pb.launched
    assert (ping.game_version, ping.base_build) == ("4.10.0.75689", 75689)
    assert ping.data_version == "B89B5D6FA7CBF6452E721311BFBC6CB2"


def test_a_session_poses_as_it_is_told():
    with Session(version=GameVersion("5.0.3", 81433, "ABC")) as session:
        ping = Client(session).send(ping=sc_pb.RequestPing()).ping
    assert (ping.game_version, ping.base_build, ping.data_version) == ("5.0.3.81433", 81433, "ABC")


def test_what_cannot_be_decoded_is_answered_with_an_error_and_a_status(client: Client):
    for data in (b"\xff\xff\xff", b"", sc_pb.Request(id=5).SerializeToString()):
        response = sc_pb.Response.FromString(client.session.handle(data))
        assert response.error
        assert response.status == sc_pb.launched
        assert response.WhichOneof("response") is None


@pytest.mark.parametrize("name", GAME_REQUESTS)
def test_outside_a_game_there_is_no_game(client: Client, name: str):
    response = client.send(**{name: GAME_REQUESTS[name]})
    assert list(response.error) == ["Not in a game"]
    assert response.WhichOneof("response") is None
    assert client.status == sc_pb.launched


@pytest.mark.parametrize("name", ["quick_save", "quick_load", "map_command"])
def test_what_is_not_supported_says_so(player: Client, name: str):
    request = sc_pb.Request()
    getattr(request, name).SetInParent()
    response = sc_pb.Response.FromString(player.session.handle(request.SerializeToString()))
    assert list(response.error) == [f"{name} is not supported by this engine"]
    assert response.status == sc_pb.in_game


def test_creating_and_joining_lead_into_the_game(client: Client):
    client.send(create_game=new_game())
    assert client.status == sc_pb.init_game
    assert client.send(join_game=joining()).join_game.player_id == 1
    assert client.status == sc_pb.in_game
    assert client.observe().observation.game_loop == 0


def test_a_participant_after_a_computer_is_player_two(client: Client):
    assert client.start(new_game(COMPUTER, PARTICIPANT), joining()) == 2
    assert client.observe().observation.player_common.player_id == 2


@pytest.mark.parametrize(
    ("difficulty", "build", "words"),
    [
        (sc_pb.VeryHard, sc_pb.RandomBuild, []),
        (sc_pb.CheatInsane, sc_pb.RandomBuild, ["player 2 plays as VeryHard", "no CheatInsane"]),
        (sc_pb.Easy, sc_pb.Timing, ["player 2 plays as VeryEasy", "no Easy", "not Timing"]),
    ],
)
def test_computers_that_play_otherwise_than_was_asked_are_told_of_in_one_line(
    client: Client,
    caplog: pytest.LogCaptureFixture,
    difficulty: "sc_pb.Difficulty.ValueType",
    build: "sc_pb.AIBuild.ValueType",
    words: list[str],
):
    computer = sc_pb.PlayerSetup(
        type=sc_pb.Computer, race=common_pb.Zerg, difficulty=difficulty, ai_build=build
    )
    client.send(create_game=new_game(PARTICIPANT, computer))
    assert len(caplog.messages) == bool(words)
    assert all(word in caplog.messages[0] for word in words)


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (sc_pb.RequestCreateGame(player_setup=[PARTICIPANT]), "MissingMap"),
        (new_game(map_path="Melee/Nowhere.SC2Map"), "InvalidMapPath"),
        (new_game(map_path="../../../etc/passwd"), "InvalidMapPath"),
        (
            sc_pb.RequestCreateGame(
                local_map=sc_pb.LocalMap(map_path=MAP, map_data=b"MPQ\x1a"),
                player_setup=[PARTICIPANT, COMPUTER],
            ),
            "InvalidMapData",
        ),
        (
            sc_pb.RequestCreateGame(
                battlenet_map_name="Lost Temple", player_setup=[PARTICIPANT, COMPUTER]
            ),
            "InvalidMapName",
        ),
        (
            sc_pb.RequestCreateGame(local_map=sc_pb.LocalMap(map_path=MAP)),
            "MissingPlayerSetup",
        ),
        (new_game(COMPUTER, COMPUTER), "InvalidPlayerSetup"),
        (new_game(PARTICIPANT, COMPUTER, COMPUTER), "InvalidPlayerSetup"),
        (new_game(PARTICIPANT, COMPUTER, map_path=MINI_GAME), "InvalidPlayerSetup"),
        (new_game(PARTICIPANT, sc_pb.PlayerSetup(type=sc_pb.Computer)), "InvalidPlayerSetup"),
        (new_game(PARTICIPANT, COMPUTER, OBSERVER), "InvalidPlayerSetup"),
    ],
)
def test_games_that_cannot_be_are_refused_with_their_code(
    client: Client, request_: sc_pb.RequestCreateGame, code: str
):
    answer = client.send(create_game=request_).create_game
    assert answer.error == sc_pb.ResponseCreateGame.Error.Value(code)
    assert answer.error_details
    assert client.status == sc_pb.launched


def test_a_map_without_a_name_is_refused_as_the_one_that_was_sent(client: Client):
    game = sc_pb.RequestCreateGame(
        local_map=sc_pb.LocalMap(map_data=b"no map"), player_setup=[PARTICIPANT, COMPUTER]
    )
    answer = client.send(create_game=game).create_game
    assert answer.error_details.startswith("the map that was sent: this is no map file")


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (sc_pb.RequestJoinGame(options=interface()), "MissingParticipation"),
        (sc_pb.RequestJoinGame(race=common_pb.Terran), "MissingOptions"),
        (joining(common_pb.NoRace), "OtherError"),
        (sc_pb.RequestJoinGame(observed_player_id=1, options=interface()), "MissingParticipation"),
        (
            joining(options=interface(render=sc_pb.SpatialCameraSetup(width=24))),
            "FeatureUnsupported",
        ),
        (joining(options=interface(raw_crop_to_playable_area=True)), "FeatureUnsupported"),
        (
            joining(
                options=interface(
                    feature_layer=sc_pb.SpatialCameraSetup(
                        minimap_resolution=common_pb.Size2DI(x=100_000, y=100_000)
                    )
                )
            ),
            "FeatureUnsupported",
        ),
    ],
)
def test_joins_that_cannot_be_are_refused_and_can_be_tried_again(
    client: Client, request_: sc_pb.RequestJoinGame, code: str
):
    client.send(create_game=new_game())
    answer = client.send(join_game=request_).join_game
    assert answer.error == sc_pb.ResponseJoinGame.Error.Value(code)
    assert client.status == sc_pb.init_game
    client.send(join_game=joining())
    assert client.status == sc_pb.in_game


def test_joining_what_nobody_created_needs_ports(client: Client):
    answer = client.send(join_game=joining()).join_game
    assert answer.error == sc_pb.ResponseJoinGame.MissingPorts


def test_stepping_goes_on_by_as_many_loops(player: Client):
    assert player.step(8).step.simulation_loop == 8
    assert player.step(3).step.simulation_loop == 11
    assert player.send(step=sc_pb.RequestStep()).step.simulation_loop == 12
    assert player.observe().observation.game_loop == 12


def test_each_command_has_a_result(player: Client):
    hall = player.own(COMMAND_CENTER)[0].tag
    assert player.command(TRAIN_SCV, hall) == SUCCESS
    assert player.command(UNKNOWN_ABILITY, hall) == NOT_SUPPORTED
    actions = [
        sc_pb.Action(),
        sc_pb.Action(action_chat=sc_pb.ActionChat(message="gl hf")),
        sc_pb.Action(action_raw=raw_pb.ActionRaw(camera_move=raw_pb.ActionRawCameraMove())),
    ]
    ui_action = sc_pb.Action()
    ui_action.action_ui.select_army.SetInParent()
    answer = player.send(action=sc_pb.RequestAction(actions=[*actions, ui_action])).action
    assert list(answer.result) == [SUCCESS, SUCCESS, SUCCESS, NOT_SUPPORTED]


def test_the_game_goes_on_after_a_command(player: Client):
    hall = player.own(COMMAND_CENTER)[0].tag
    player.command(TRAIN_SCV, hall)
    before = len(player.own(SCV))
    player.step(280)  # an SCV takes 272 loops
    assert len(player.own(SCV)) == before + 1


def test_after_the_end_steps_are_refused_in_the_words_that_clients_look_for(player: Client):
    player.send(debug=surrender())
    player.step()
    assert player.status == sc_pb.ended
    results = {result.player_id: result.result for result in player.observe().player_result}
    assert results == {1: sc_pb.Defeat, 2: sc_pb.Victory}
    assert list(player.step().error) == ["Game has already ended"]
    assert list(player.send(action=sc_pb.RequestAction()).error) == ["Game has already ended"]
    assert player.send(game_info=sc_pb.RequestGameInfo()).game_info.map_name
    assert player.status == sc_pb.ended


def test_a_player_who_ends_the_game_hears_of_it_when_its_turn_is_over(player: Client):
    hall = player.own(COMMAND_CENTER)[0].tag
    player.send(debug=surrender())
    replay = player.replay()
    assert player.command(TRAIN_SCV, hall) == SUCCESS
    assert not player.send(debug=surrender()).error
    assert player.status == sc_pb.in_game
    assert player.observe().player_result
    assert player.status == sc_pb.ended
    assert player.replay() == replay  # what came after the end has changed nothing


def test_a_new_game_is_created_from_within_one_and_from_an_ended_one(player: Client):
    player.step(20)
    player.start(new_game(), joining())
    assert player.observe().observation.game_loop == 0
    player.send(debug=surrender())
    player.start(new_game(), joining())
    assert player.status == sc_pb.in_game


def test_leaving_leads_back_to_the_start(player: Client):
    response = player.send(leave_game=sc_pb.RequestLeaveGame())
    assert response.WhichOneof("response") == "leave_game"
    assert player.status == sc_pb.launched
    assert list(player.step().error) == ["Not in a game"]


def test_restarting_begins_at_once_and_with_another_seed(client: Client):
    client.start(new_game(PARTICIPANT, map_path=MINI_GAME), joining())
    positions = set()
    for _ in range(6):
        units = client.observe().observation.raw_data.units
        positions.add(tuple((unit.pos.x, unit.pos.y) for unit in units))
        client.step(16)
        response = client.send(restart_game=sc_pb.RequestRestartGame())
        assert response.WhichOneof("response") == "restart_game"
        assert client.observe().observation.game_loop == 0
    assert len(positions) > 1


def test_the_same_seed_gives_the_same_game():
    observations = []
    for _ in range(2):
        with Session() as session:
            client = Client(session)
            client.start(new_game(random_seed=11), joining(common_pb.Random))
            client.step(200)
            observations.append(client.observe().SerializeToString(deterministic=True))
    assert observations[0] == observations[1]


def test_an_observer_watches_computers(client: Client):
    join = sc_pb.RequestJoinGame(observed_player_id=0, options=interface())
    assert client.start(new_game(COMPUTER, COMPUTER, OBSERVER), join) == 0
    client.step(50)
    units = client.observe().observation.raw_data.units
    assert {unit.owner for unit in units} >= {1, 2}
    assert raw_pb.Self not in {unit.alliance for unit in units}


def test_quitting_is_the_end(player: Client):
    player.send(quit=sc_pb.RequestQuit())
    assert player.session.has_quit
    assert player.send(ping=sc_pb.RequestPing()).error


def test_maps_are_found_by_path_name_and_saved_bytes(client: Client):
    available = client.send(available_maps=sc_pb.RequestAvailableMaps()).available_maps
    assert MAP in available.local_map_paths
    assert "Acropolis LE" in available.battlenet_map_names
    data = map_bytes("Flat32")
    save = sc_pb.RequestSaveMap(map_path="Mine\\Own.SC2Map", map_data=data)
    assert not client.send(save_map=save).save_map.HasField("error")
    by_data = sc_pb.LocalMap(map_path="anything", map_data=data)
    for wanted in (
        {"local_map": sc_pb.LocalMap(map_path="Mine/Own.SC2Map")},
        {"local_map": by_data},
        {"battlenet_map_name": "Acropolis LE"},
    ):
        request = sc_pb.RequestCreateGame(player_setup=[PARTICIPANT, COMPUTER], **wanted)
        assert not client.send(create_game=request).create_game.error_details


def test_saving_nothing_as_a_map_is_refused(client: Client):
    answer = client.send(save_map=sc_pb.RequestSaveMap(map_path="a.SC2Map")).save_map
    assert answer.error == sc_pb.ResponseSaveMap.InvalidMapData


def test_game_info_tells_what_the_player_may_know(player: Client):
    info = player.send(game_info=sc_pb.RequestGameInfo()).game_info
    assert info.local_map_path == MAP
    assert info.options == interface()
    assert [known.type for known in info.player_info] == [sc_pb.Participant, sc_pb.Computer]
    assert info.player_info[0].race_actual == common_pb.Terran
    assert not info.player_info[1].HasField("race_actual")
    assert info.player_info[1].race_requested == common_pb.Zerg
    assert info.player_info[1].difficulty == sc_pb.VeryEasy
    size = info.start_raw.map_size
    assert len(info.start_raw.terrain_height.data) == size.x * size.y
    for grid in (info.start_raw.pathing_grid, info.start_raw.placement_grid):
        assert grid.bits_per_pixel == 1
        assert len(grid.data) == size.x * size.y // 8


def test_buildings_block_the_pathing_grid_where_they_are_seen_alone(player: Client):
    info = player.send(game_info=sc_pb.RequestGameInfo()).game_info
    hall = player.own(COMMAND_CENTER)[0].pos
    pathable = unpacked(info.start_raw.pathing_grid)
    buildable = unpacked(info.start_raw.placement_grid)
    assert not pathable[int(hall.y), int(hall.x)]
    assert buildable[int(hall.y), int(hall.x)]
    (enemy,) = info.start_raw.start_locations
    assert (enemy.x, enemy.y) != (hall.x, hall.y)
    assert pathable[int(enemy.y), int(enemy.x)]


def unpacked(grid: common_pb.ImageData) -> np.ndarray:
    bits = np.unpackbits(np.frombuffer(grid.data, np.uint8))
    return bits[: grid.size.x * grid.size.y].reshape(grid.size.y, grid.size.x)


def test_in_real_time_the_game_goes_on_by_itself(client: Client):
    client.start(new_game(), joining())
    client.step()  # what is compiled at first use takes its time here
    client.start(new_game(realtime=True), joining())
    assert client.step().error
    assert client.observe(game_loop=6).observation.game_loop >= 6
    assert client.observe().observation.game_loop < 200


def test_queries_tell_what_units_can_do(player: Client):
    hall, worker = player.own(COMMAND_CENTER)[0].tag, player.own(SCV)[0].tag
    assert {TRAIN_SCV} <= abilities(player, hall)
    # A depot costs 100 minerals and there are 50; a barracks needs a depot, whatever it costs.
    assert DEPOT not in abilities(player, worker)
    assert DEPOT in abilities(player, worker, ignore_resource_requirements=True)
    assert BARRACKS not in abilities(player, worker, ignore_resource_requirements=True)
    player.command(TRAIN_SCV, hall)
    assert TRAIN_SCV not in abilities(player, hall)
    assert abilities(player, 1 << 33) == set()


def abilities(player: Client, tag: int, **request: bool) -> set[int]:
    wanted = [query_pb.RequestQueryAvailableAbilities(unit_tag=tag)]
    answer = player.send(query=query_pb.RequestQuery(abilities=wanted, **request)).query
    (found,) = answer.abilities
    assert found.unit_tag == tag
    return {ability.ability_id for ability in found.abilities}


def test_queries_tell_how_far_it_is_and_what_stands_in_the_way(player: Client):
    hall, worker = player.own(COMMAND_CENTER)[0].pos, player.own(SCV)[0]
    beside = common_pb.Point2D(x=worker.pos.x, y=worker.pos.y)
    onto = common_pb.Point2D(x=hall.x, y=hall.y)
    outside = common_pb.Point2D(x=-5, y=7)
    info = player.send(game_info=sc_pb.RequestGameInfo()).game_info.start_raw
    enemy = info.start_locations[0]
    far = common_pb.Point2D(x=enemy.x - 4, y=enemy.y)
    answer = player.send(
        query=query_pb.RequestQuery(
            pathing=[
                query_pb.RequestQueryPathing(unit_tag=worker.tag, end_pos=far),
                query_pb.RequestQueryPathing(start_pos=beside, end_pos=far),
                query_pb.RequestQueryPathing(start_pos=beside, end_pos=outside),
            ],
            placements=[
                query_pb.RequestQueryBuildingPlacement(ability_id=DEPOT, target_pos=place)
                for place in (onto, outside, level_ground(player))
            ],
        )
    ).query
    by_tag, by_place, nowhere = (way.distance for way in answer.pathing)
    assert by_tag == pytest.approx(by_place, abs=1)
    assert by_tag > math.dist((beside.x, beside.y), (far.x, far.y))
    assert nowhere == 0
    blocked, off_the_map, free = (placement.result for placement in answer.placements)
    assert blocked == off_the_map == error_pb.CantBuildLocationInvalid
    assert free == error_pb.Success


def level_ground(player: Client) -> common_pb.Point2D:
    """A place for a depot near the hall, by the grids that the client is given."""
    info = player.send(game_info=sc_pb.RequestGameInfo()).game_info.start_raw
    is_free = (unpacked(info.placement_grid) & unpacked(info.pathing_grid)) > 0
    hall = player.own(COMMAND_CENTER)[0].pos
    x, y = next(
        (x, y)
        for y in range(int(hall.y) - 9, int(hall.y) + 10)
        for x in range(int(hall.x) - 9, int(hall.x) + 10)
        if is_free[y - 2 : y + 2, x - 2 : x + 2].all()
    )
    return common_pb.Point2D(x=x, y=y)


def test_data_tells_of_all_units_in_sight(player: Client):
    data = player.send(data=sc_pb.RequestData(unit_type_id=True)).data
    known = {unit_type.unit_id: unit_type for unit_type in data.units if unit_type.available}
    seen = {unit.unit_type for unit in player.observe().observation.raw_data.units}
    assert seen <= set(known)
    assert (known[SCV].name, known[SCV].mineral_cost, known[SCV].food_required) == ("SCV", 50, 1)
    assert (known[COMMAND_CENTER].mineral_cost, known[COMMAND_CENTER].food_provided) == (400, 15)
    assert not data.abilities


def test_debug_drawings_are_taken_and_test_crashes_are_not(player: Client):
    draw = debug_pb.DebugCommand(draw=debug_pb.DebugDraw(text=[debug_pb.DebugText(text="hi")]))
    assert not player.send(debug=sc_pb.RequestDebug(debug=[draw])).error
    crash = debug_pb.DebugCommand(
        test_process=debug_pb.DebugTestProcess(test=debug_pb.DebugTestProcess.crash)
    )
    assert player.send(debug=sc_pb.RequestDebug(debug=[crash])).error
    assert player.status == sc_pb.in_game


@pytest.mark.parametrize("seed", range(8))
def test_mutated_requests_are_answered_whatever_they_say(seed: int):
    generator = random.Random(seed)
    with Session() as session:
        client = Client(session)
        whole = [request.SerializeToString() for request in sound_requests(client)]
        for _ in range(400):
            if client.step().status not in (sc_pb.in_game, sc_pb.quit):
                client.send(create_game=new_game())
                if generator.random() < 0.9:
                    client.send(join_game=joining())
            data = bytearray(generator.choice(whole))
            for _ in range(generator.randrange(4)):
                data[generator.randrange(len(data))] = generator.randrange(256)
            cut = bytes(data[: generator.randrange(len(data) + 1)])
            for request in (bytes(data), OBSERVE, cut, OBSERVE):
                response = sc_pb.Response.FromString(session.handle(request))
                assert response.HasField("status")
                assert not any("internal error" in error for error in response.error), request


OBSERVE = sc_pb.Request(observation=sc_pb.RequestObservation()).SerializeToString()


def sound_requests(client: Client) -> list[sc_pb.Request]:
    """Requests of all kinds for a game that is begun, each of which would do something."""
    client.start(new_game(), joining())
    hall, worker = client.own(COMMAND_CENTER)[0].tag, client.own(SCV)[0].tag
    client.step()
    replay = client.replay()
    place = common_pb.Point2D(x=40, y=40)
    commands = [
        raw_pb.ActionRawUnitCommand(ability_id=TRAIN_SCV, unit_tags=[hall]),
        raw_pb.ActionRawUnitCommand(ability_id=STOP, unit_tags=[worker, 1 << 33, 5]),
        raw_pb.ActionRawUnitCommand(ability_id=1, unit_tags=[worker], target_unit_tag=hall),
        raw_pb.ActionRawUnitCommand(
            ability_id=3794, unit_tags=[worker], target_world_space_pos=place, queue_command=True
        ),
        raw_pb.ActionRawUnitCommand(
            ability_id=319, unit_tags=[worker], target_world_space_pos=place
        ),
    ]
    actions = [
        *(sc_pb.Action(action_raw={"unit_command": command}) for command in commands),
        sc_pb.Action(action_raw={"camera_move": {"center_world_space": {"x": 30, "y": 30}}}),
        sc_pb.Action(action_chat=sc_pb.ActionChat(channel=1, message="good luck")),
    ]
    debugs = [
        {"create_unit": {"unit_type": SCV, "owner": 1, "quantity": 1, "pos": place}},
        {"kill_unit": {"tag": [worker]}},
        {"unit_value": {"unit_value": 2, "value": 30, "unit_tag": hall}},
        {"game_state": debug_pb.minerals},
        {"draw": {"text": [{"text": "here"}]}},
        {"end_game": {"end_result": 1}},
    ]
    queries = {
        "pathing": [{"start_pos": place, "end_pos": place}, {"unit_tag": worker, "end_pos": place}],
        "abilities": [{"unit_tag": hall}, {"unit_tag": worker}],
        "placements": [{"ability_id": 319, "target_pos": place, "placing_unit_tag": worker}],
    }
    layers = sc_pb.SpatialCameraSetup(
        width=24, resolution={"x": 8, "y": 8}, minimap_resolution={"x": 32, "y": 16}
    )
    options = interface(feature_layer=layers)
    return [
        sc_pb.Request(create_game=new_game()),
        sc_pb.Request(join_game=joining(player_name="someone", options=options)),
        *(sc_pb.Request(action=sc_pb.RequestAction(actions=[action])) for action in actions),
        *(sc_pb.Request(debug=sc_pb.RequestDebug(debug=[debug])) for debug in debugs),
        sc_pb.Request(query=query_pb.RequestQuery(**queries)),
        sc_pb.Request(replay_info=sc_pb.RequestReplayInfo(replay_data=replay)),
        sc_pb.Request(replay_info=sc_pb.RequestReplayInfo(replay_path="one.SC2Replay")),
        sc_pb.Request(start_replay=sc_pb.RequestStartReplay(replay_data=replay, options=options)),
        sc_pb.Request(save_map=sc_pb.RequestSaveMap(map_path="a", map_data=b"b")),
        sc_pb.Request(data=sc_pb.RequestData(unit_type_id=True)),
        sc_pb.Request(game_info=sc_pb.RequestGameInfo()),
        sc_pb.Request(observation=sc_pb.RequestObservation(disable_fog=True, game_loop=5)),
        sc_pb.Request(
            obs_action={"actions": [{"camera_move": {"world_pos": place, "distance": 5}}]}
        ),
        sc_pb.Request(step=sc_pb.RequestStep(count=3)),
    ]
