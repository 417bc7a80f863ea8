"""The policy that ships: that it is what its card says, and that it plays."""

import pytest

from agent.checkpoint import PRETRAINED, load_policy, newest_checkpoint
from agent.match import play_game
from agent.policy_player import PolicyPlayer
from envs.game_client import GameClient, GameSetup, Opponent
from envs.interface import Action, Knowledge, Observation, Race, ScalarFeature
from envs.launch import in_process
from envs.observations import GameMap

MEBIBYTE = 2**20
VERY_EASY = 1
TWO_MINUTES = 2688  # loops
WORKERS_AT_THE_START = 12


class Watched:
    """The policy, and how many workers it was last seen to have."""

    def __init__(self, player: PolicyPlayer) -> None:
        self._player = player
        self.name, self.sight = player.name, player.sight
        self.num_workers = 0

    def reset(self, game_map: GameMap, race: Race, *, seed: int) -> None:
        self._player.reset(game_map, race, seed=seed)

    def act(self, observation: Observation) -> Action:
        self.num_workers = int(observation.scalars[ScalarFeature.FOOD_WORKERS])
        return self._player.act(observation)


def test_the_card_is_of_the_checkpoint_that_lies_beside_it():
    checkpoint = newest_checkpoint(PRETRAINED / "checkpoints")
    card = (PRETRAINED / "README.md").read_text()
    assert checkpoint.digest[:12] in card
    assert checkpoint.knowledge is Knowledge.GAME


def test_it_is_of_a_few_mebibytes():
    files = [path for path in PRETRAINED.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 12 * MEBIBYTE


@pytest.mark.parametrize("seat", [1, 2])
def test_it_builds_an_economy(seat: int):
    checkpoint = newest_checkpoint(PRETRAINED / "checkpoints")
    player = Watched(PolicyPlayer(load_policy(checkpoint), name="pretrained"))
    opponent = Opponent(race=Race.TERRAN, difficulty=VERY_EASY)
    setup = GameSetup(
        map_path="Melee/Simple64.SC2Map", race=Race.ZERG, opponent=opponent, seed=3, player=seat
    )
    with in_process() as game:
        client = GameClient(game, plane_size=player.sight.plane_size, limits=player.sight.limits)
        play_game(client, player, setup, max_loops=TWO_MINUTES)
    assert player.num_workers >= WORKERS_AT_THE_START + 4
