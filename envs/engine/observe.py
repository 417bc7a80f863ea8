"""An observation of a match for one player, as the serialized ``ResponseObservation``.

Units, which are most of it, are written by compiled code and joined to the rest as bytes: parts of
one protobuf message may follow each other and are merged by whoever reads them.
"""

from typing import cast

import numpy as np
from numpy.typing import NDArray
from s2clientprotocol import common_pb2 as common_pb
from s2clientprotocol import raw_pb2 as raw_pb
from s2clientprotocol import sc2api_pb2 as sc_pb

from envs.engine.alerts import alert_for_attack
from envs.engine.census import Census, take_census
from envs.engine.encode import NEUTRAL_OWNER, encode_units, room_for_units
from envs.engine.feature_layers import Minimap
from envs.engine.layout import FIRST_INDEX, ONE, Trait
from envs.engine.match import Match
from envs.engine.score import score_of
from envs.engine.units import GENERATION_BITS
from envs.engine.varints import varint
from envs.engine.vision import POWER_RADIUS, PRISM_POWER_RADIUS

OBSERVER = 0
"""The player number of someone who only looks on."""

_OBSERVATION, _RAW_DATA, _LENGTH_DELIMITED = 3, 5, 2
_SELF, _ALLY, _ENEMY = 1, 2, 4
_SUPPLY_CAP = 200


class Observer:
    """What one player, or an observer, is told of a match, from one observation to the next."""

    def __init__(self, match: Match, player: int, options: sc_pb.InterfaceOptions) -> None:
        self._match = match
        self._player = player
        self._options = options
        self._room = room_for_units()
        self._num_actions = self._num_chats = self._num_dead = self._num_failed = 0
        self._num_alerts, self._alerted_at = 0, match.loop
        size = options.feature_layer.minimap_resolution
        self._minimap = Minimap(match.world, size) if size.x and size.y else None
        start = match.game_map.starts[max(player, 1) - 1] if match.game_map.starts else (0.0, 0.0)
        self._camera = start

    def observation(self, *, disable_fog: bool = False) -> bytes:
        """Return what there is to see now, and what has happened since the last time."""
        match, world = self._match, self._match.world
        sees_all = (
            disable_fog
            or self._player == OBSERVER
            or match.options.disable_fog
            or bool(world.players["sees_all"][self._player])
        )
        response = sc_pb.ResponseObservation()
        self._tell_news(response)
        observation = response.observation
        observation.game_loop = match.loop
        census = take_census(world, self._player)
        self._fill_common(observation.player_common, census)
        if self._options.score or not self._options.HasField("score"):
            score_of(match, self._player, census, observation.score)
        attacked = self._attacked()
        observation.alerts.extend(self._new_alerts(attacked))
        if self._minimap:
            layers = self._minimap.layers(
                self._player,
                sees_all=sees_all,
                camera=self._camera,
                alerts=attacked,
            )
            observation.feature_layer_data.minimap_renders.CopyFrom(layers)
        for player, result in sorted(match.results.items()):
            response.player_result.add(player_id=player, result=result)
        if self._player == OBSERVER and match.results:
            response.player_result.add(player_id=OBSERVER, result=sc_pb.Undecided)
        if not self._options.raw:
            return response.SerializeToString()
        self._fill_raw(observation.raw_data, sees_all=sees_all)
        size = encode_units(world.record, self._player, sees_all, self._room)
        return response.SerializeToString() + _wrapped(self._room[:size].tobytes())

    def look_at(self, x: float, y: float) -> None:
        """Move the camera."""
        self._camera = x, y

    def _tell_news(self, response: sc_pb.ResponseObservation) -> None:
        match = self._match
        for echo in match.echoes[self._num_actions :]:
            if echo.player == self._player:
                response.actions.add(action_raw=echo.action, game_loop=echo.loop)
        self._num_actions = len(match.echoes)
        for said in match.chats[self._num_chats :]:
            is_for_all = said.channel == sc_pb.ActionChat.Broadcast
            if is_for_all or self._player in (OBSERVER, said.player):  # nobody has allies
                response.chat.add(player_id=said.player, message=said.text)
        self._num_chats = len(match.chats)
        for player, tag, ability, result in match.aftermath.failed[self._num_failed :]:
            if player == self._player:
                response.action_errors.add(unit_tag=tag, ability_id=ability, result=result)
        self._num_failed = len(match.aftermath.failed)

    def _attacked(self) -> NDArray[np.int32]:
        """Return the slots of the player's units that enemies have hit since the last time."""
        units, alive = self._match.world.units, self._match.game.alive()
        is_hit = units["last_hit"][alive] > self._alerted_at
        hit = alive[is_hit & (units["owner"][alive] == self._player) & (self._player != OBSERVER)]
        self._alerted_at = self._match.loop
        attackers = (units["last_hit_by"][hit] >> GENERATION_BITS) - FIRST_INDEX
        return hit[units["owner"][np.maximum(attackers, 0)] != self._player]

    def _new_alerts(self, attacked: NDArray[np.int32]) -> list["sc_pb.Alert.ValueType"]:
        """Return what calls for the player's attention since the last time, each kind once."""
        match = self._match
        since = match.aftermath.alerts[self._num_alerts :]
        self._num_alerts = len(match.aftermath.alerts)
        alerts = [alert for player, alert in since if player == self._player]
        alerts += [alert_for_attack(match.game, slot) for slot in attacked.tolist()]
        return cast("list[sc_pb.Alert.ValueType]", list(dict.fromkeys(alerts)))

    def _fill_common(self, common: sc_pb.PlayerCommon, census: Census) -> None:
        state = self._match.world.players[self._player]
        common.player_id = self._player
        common.minerals, common.vespene = int(state["minerals"]), int(state["gas"])
        common.food_cap = min(int(state["supply_made"]) // 2, _SUPPLY_CAP)
        common.food_used = int(state["supply_used"]) // 2
        workers = census.worker_supply + census.coming_worker_supply
        common.food_workers = census.worker_supply // 2
        common.food_army = (int(state["supply_used"]) - workers) // 2
        common.idle_worker_count = census.idle_workers
        common.army_count = census.soldiers
        common.warp_gate_count = census.warp_gates
        common.larva_count = census.larvae

    def _creep(self, *, sees_all: bool) -> NDArray[np.uint8]:
        """Return the creep that the player sees, and in the fog as he last saw it."""
        world = self._match.world
        if sees_all:
            return world.creep
        is_seen = world.visibility[self._player] == _SEEN
        return np.where(is_seen, world.creep, world.creep_seen[self._player])

    def _fill_raw(self, raw: raw_pb.ObservationRaw, *, sees_all: bool) -> None:
        match, world, player = self._match, self._match.world, self._player
        raw.player.camera.x, raw.player.camera.y = self._camera
        raw.player.upgrade_ids.extend(np.flatnonzero(world.upgrades[player]).tolist())
        if world.players["race"][player] == _PROTOSS:
            self._fill_power(raw.player)
        height, width = world.pathable.shape
        size = common_pb.Size2DI(x=width, y=height)
        visibility = np.full((height, width), 2, np.uint8) if sees_all else world.visibility[player]
        raw.map_state.visibility.bits_per_pixel = 8
        raw.map_state.visibility.size.CopyFrom(size)
        raw.map_state.visibility.data = visibility.tobytes()
        raw.map_state.creep.bits_per_pixel = 1
        raw.map_state.creep.size.CopyFrom(size)
        raw.map_state.creep.data = np.packbits(self._creep(sees_all=sees_all)).tobytes()
        dead = match.aftermath.dead[self._num_dead :]
        self._num_dead = len(match.aftermath.dead)
        raw.event.dead_units.extend(
            tag
            for tag, owner, seen_by in dead
            if sees_all or owner == player or seen_by >> player & 1
        )
        for effect in world.effects[world.effects["id"] != 0]:
            if sees_all or self._sees(int(effect["x"]), int(effect["y"])):
                owner = int(effect["owner"])
                others = _ALLY if player == OBSERVER else _ENEMY
                raw.effects.add(
                    effect_id=int(effect["id"]),
                    pos=[common_pb.Point2D(x=effect["x"] / ONE, y=effect["y"] / ONE)],
                    alliance=_SELF if owner == player else others,
                    owner=owner or NEUTRAL_OWNER,
                    radius=effect["radius"] / ONE,
                )

    def _fill_power(self, raw: raw_pb.PlayerRaw) -> None:
        game = self._match.game
        for slot in game.slots(self._player):
            unit = game.units[slot]
            if not game.has_trait(slot, Trait.POWER_SOURCE) or unit["build_left"]:
                continue
            x, y = int(unit["x"]), int(unit["y"])
            radius = PRISM_POWER_RADIUS if game.kind(slot)["flying"] else POWER_RADIUS
            source = raw.power_sources.add(radius=radius / ONE, tag=int(unit["tag"]))
            source.pos.x, source.pos.y = x / ONE, y / ONE
            source.pos.z = (float(game.world.height[y // ONE, x // ONE]) - 127) / 8

    def _sees(self, x: int, y: int) -> bool:
        visibility = self._match.world.visibility[self._player]
        height, width = visibility.shape
        row, column = min(max(y // ONE, 0), height - 1), min(max(x // ONE, 0), width - 1)
        return bool(visibility[row, column] == _SEEN)


_PROTOSS, _SEEN = 3, 2


def _wrapped(units: bytes) -> bytes:
    """Return units as the bytes of a ``ResponseObservation`` that holds nothing else."""
    for field in (_RAW_DATA, _OBSERVATION):
        units = bytes([field << 3 | _LENGTH_DELIMITED]) + varint(len(units)) + units
    return units
