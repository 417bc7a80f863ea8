"""Every unit, building, upgrade and weapon of the tables, measured in the running engine.

What is expected is read from units.csv and upgrades.csv here, not by the engine's own reader;
figures from elsewhere are written out with their source. Five per cent either way are allowed.
"""

import csv
from collections.abc import Iterator
from importlib import resources
from typing import NamedTuple

import pytest
from s2clientprotocol import error_pb2 as result

from envs.engine.layout import ONE, Trait
from tests.envs.engine.scenes import PROTOSS, TERRAN, ZERG, Scene

RACES = {"Terran": TERRAN, "Zerg": ZERG, "Protoss": PROTOSS}
OK = result.Success


def read_table(name: str) -> list[dict[str, str]]:
    with (resources.files("envs") / "data" / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


UNITS = {line["name"]: line for line in read_table("units.csv")}
UPGRADES = {line["name"]: line for line in read_table("upgrades.csv") if line["research_loops"]}


def figure(name: str, column: str) -> float:
    return float(UNITS[name][column] or 0)


def is_structure(name: str) -> bool:
    return UNITS[name]["kind"] == "structure"


def is_add_on(name: str) -> bool:
    return name.endswith(("TechLab", "Reactor"))


def is_on_gas(name: str) -> bool:
    return name in ("Refinery", "Extractor", "Assimilator")


def free_places(scene: Scene, width: int, height: int) -> Iterator[tuple[int, int]]:
    """Lower left corners of rectangles of open ground, far from what is there at the start."""
    units = scene.game.units[scene.game.alive()]
    left, bottom, right, top = scene.match.game_map.playable
    for y in range(bottom + 1, top - height, height):
        x = left + 1
        while x + width < right:
            aside = abs(units["x"] / ONE - (x + width / 2)) - width / 2
            apart = abs(units["y"] / ONE - (y + height / 2)) - height / 2
            is_open = scene.world.buildable[y : y + height, x : x + width].all()
            if is_open and ((aside > 12) | (apart > 12)).all():
                yield x, y
                x += width
            else:
                x += 1


class Yard:
    """Open ground for a player's makers, with a full purse and supply for 200."""

    def __init__(self, race: str) -> None:
        self.scene = Scene(RACES[race], RACES[race], map_name="Flat96")
        self.race = race
        self._places = free_places(self.scene, 9, 7)
        self.scene.give(1, minerals=1000, gas=1000)
        for _ in range(25):
            self.scene.put("Overlord", 1, 12, 90)

    def place(self) -> tuple[float, float]:
        """The centre of a free place, with power and creep where a race needs them."""
        x, y = next(self._places)
        if self.race == "Protoss":
            self.scene.put("Pylon", 1, x + 7, y + 3)
            self.scene.run(16)
        self.scene.world.creep[y : y + 7, x : x + 9] = int(self.race == "Zerg")
        return x + 3.5, y + 3.5

    def put(self, name: str, add_on: str = "") -> int:
        """Put a finished unit or building on a free place, with an add-on if it needs one."""
        x, y = self.place()
        tag = self.scene.put(name, 1, x, y)
        if add_on:
            other = self.scene.put(add_on, 1, x + 2.5, y - 0.5)
            self.scene.game.units["add_on"][self.scene.game.slot(tag)] = other
            self.scene.game.units["home"][self.scene.game.slot(other)] = tag
        return tag

    def fulfil(self, requirements: str) -> None:
        """Put the buildings and give the upgrades that a table's field names."""
        for requirement in requirements.split("|"):
            kind, _, name = requirement.rpartition(":")
            if kind == "upgrade":
                self.scene.game.research(1, int(UPGRADES[name]["upgrade_id"]))
            elif name and kind in ("", "building"):
                self.put(name)

    def purse(self) -> tuple[int, int]:
        """Minerals and gas, less what workers have brought."""
        player = self.scene.world.players[1]
        return (
            int(player["minerals"] - player["minerals_collected"]),
            int(player["gas"] - player["gas_collected"]),
        )

    def tags(self) -> set[int]:
        return {int(tag) for tag in self.scene.game.units["tag"][self.scene.game.slots(1)]}

    def new(self, name: str, before: set[int]) -> list[int]:
        return [tag for tag in self.scene.all_of(name, 1) if tag not in before]


# Build times and costs.

BACK = "a change back, for which the table has no time of its own"
NOT_MEASURED = {
    ("Hellion", "HellionTank"): BACK,
    ("HellionTank", "Hellion"): BACK,
    ("VikingAssault", "VikingFighter"): BACK,
    ("LiberatorAG", "Liberator"): BACK,
    ("ObserverSurveillanceMode", "Observer"): BACK,
    ("WarpPrismPhasing", "WarpPrism"): BACK,
    ("OverseerOversightMode", "Overseer"): BACK,
    ("MothershipCore", "Mothership"): "there is no Mothership Core any more",
}
NOT_MADE_BY_ORDERS = {
    "MULE": "called down, and there at once",
    "Archon": "merged, and measured by itself",
    "Interceptor": "a Carrier's shots are its Interceptors'",
    "Larva": "comes by itself",
    "Egg": "what a larva is for a while",
    "Broodling": "comes of Brood Lords' shots",
    "CreepTumor": "a spell's, and measured by itself",
    "CreepTumorBurrowed": "what a Creep Tumor becomes, and measured with it",
}
ORDERED_BY = {"LiberatorAG": 2558}  # the table's 2554 has no place to aim at
WARP_IN_LOOPS = 64
"""4 s at normal speed beside a gateway: the table has only the time of Gateways."""


def makers_of(name: str) -> list[str]:
    makers = filter(None, UNITS[name]["produced_by"].split("|"))
    return [maker for maker in makers if (maker, name) not in NOT_MEASURED]


MAKERS_AND_MADE = [
    (maker, name) for name in UNITS for maker in makers_of(name) if name not in NOT_MADE_BY_ORDERS
]


def test_everything_is_made_by_some_order_or_there_is_a_reason():
    assert set(UNITS) == {name for _, name in MAKERS_AND_MADE} | set(NOT_MADE_BY_ORDERS)


@pytest.mark.parametrize(("maker", "name"), MAKERS_AND_MADE)
def test_makers_take_the_time_and_the_cost_of_the_table(maker: str, name: str):
    yard = Yard(UNITS[name]["race"])
    yard.fulfil(UNITS[name]["tech_requirement"])
    if name == "WarpGate":
        yard.fulfil("upgrade:WarpGateResearch")
    if maker in ("SCV", "Drone", "Probe"):
        loops, cost = build(yard, maker, name)
    else:
        loops, cost = make(yard, maker, name)
    expected = WARP_IN_LOOPS if maker == "WarpGate" else figure(name, "build_loops")
    assert loops == pytest.approx(expected, rel=0.05, abs=1)
    assert cost == (figure(name, "minerals_step"), figure(name, "gas_step"))


def make(yard: Yard, maker: str, name: str) -> tuple[int, tuple[int, int]]:
    """Have a maker make something, or become it; return loops and cost."""
    scene, row = yard.scene, yard.scene.row[name]
    needs_lab = "addon:TechLab" in UNITS[name]["tech_requirement"]
    tag = yard.put(maker, add_on=f"{maker}TechLab" if needs_lab else "")
    before, purse = yard.tags(), yard.purse()
    x, y = scene.place(tag)
    ability, aim = ORDERED_BY.get(name, int(UNITS[name]["create_ability_id"])), None
    if maker == "WarpGate":
        ability, aim = warp_in_ability(name), (x + 3, y - 2)
    elif name == "LiberatorAG":
        aim = x, y
    assert scene.order(ability, tag, at=aim) == OK
    cost = purse[0] - yard.purse()[0], purse[1] - yard.purse()[1]

    def is_there() -> bool:
        made = yard.new(name, before)
        return scene.value(tag, "type") == row or any(
            scene.value(other, "build_left") == 0 for other in made
        )

    return scene.run_until(is_there, 3000), cost


def build(yard: Yard, worker: str, name: str) -> tuple[int, tuple[int, int]]:
    """Have a worker build beside it; return the loops from the beginning, and the cost."""
    scene = yard.scene
    x, y = yard.place()
    on = 0
    if is_on_gas(name):
        geyser = scene.game.slots(0, scene.row["VespeneGeyser"])[0]
        on = int(scene.game.units["tag"][geyser])
        x, y = scene.place(on)
    tag = scene.put(worker, 1, x, y - figure(name, "footprint_radius") - 0.4)
    before, purse = yard.tags(), yard.purse()
    ability = int(UNITS[name]["create_ability_id"])
    assert scene.order(ability, tag, at=None if on else (x, y), on=on) == OK
    scene.run_until(lambda: bool(yard.new(name, before)), 16)
    cost = purse[0] - yard.purse()[0], purse[1] - yard.purse()[1]
    building = yard.new(name, before)[0]
    return scene.run_until(lambda: scene.value(building, "build_left") == 0, 3000), cost


def warp_in_ability(name: str) -> int:
    function = UNITS[name]["warp_in_raw_function"].partition("=")[0]
    return next(
        int(line["ability_id"])
        for line in read_table("raw_functions.csv")
        if line["name"] == function
    )


@pytest.mark.parametrize("names", [("HighTemplar", "DarkTemplar"), ("DarkTemplar", "DarkTemplar")])
def test_templar_merge_for_twelve_seconds(names: tuple[str, str]):
    """At normal speed: Liquipedia, "Archon Warp"."""
    yard = Yard("Protoss")
    x, y = yard.place()
    templar = [yard.scene.put(name, 1, x + i, y) for i, name in enumerate(names)]
    assert yard.scene.order(1766, *templar) == OK
    assert len(yard.scene.all_of("Archon", 1)) == 1
    archon = yard.scene.all_of("Archon", 1)[0]
    loops = yard.scene.run_until(lambda: yard.scene.value(archon, "build_left") == 0, 400)
    assert loops == pytest.approx(12 * 16, rel=0.05)


@pytest.mark.parametrize("maker", ["Queen", "CreepTumorBurrowed"])
def test_creep_tumours_take_the_time_of_the_table(maker: str):
    yard = Yard("Zerg")
    scene = yard.scene
    x, y = yard.place()
    tag = scene.put(maker, 1, x, y, energy=25 * ONE, spread_charges=1)
    before = yard.tags()
    assert scene.order(1694 if maker == "Queen" else 1733, tag, at=(x + 1, y)) == OK
    name = "CreepTumorQueen" if maker == "Queen" else "CreepTumor"
    scene.run_until(lambda: bool(yard.new(name, before)), 32)
    tumour = yard.new(name, before)[0]
    loops = scene.run_until(lambda: scene.value(tumour, "build_left") == 0, 400)
    assert loops == pytest.approx(figure("CreepTumor", "build_loops"), abs=1)
    settling = scene.run_until(lambda: tumour in scene.all_of("CreepTumorBurrowed", 1), 40)
    assert settling == pytest.approx(figure("CreepTumorBurrowed", "build_loops"), abs=1)


# Research.

NOT_RESEARCHED = """
    AmplifiedShielding ArmorPiercingRockets CarrierLaunchSpeedUpgrade CycloneLockOnRangeUpgrade
    CycloneRapidFireLaunchers DurableMaterials HunterSeeker ImmortalRevive LiberatorMorph
    LocustLifetimeIncrease MedivacCaduceusReactor MedivacRapidDeployment MicrobialShroud
    NeosteelFrame PsionicAmplifiers RavenEnhancedMunitions RavenRecalibratedExplosives RoachSupply
    SecretedCoating SunderingImpact TempestRangeUpgrade TerranShipArmorsLevel1
    TerranShipArmorsLevel2 TerranShipArmorsLevel3 TerranVehicleArmorsLevel1
    TerranVehicleArmorsLevel2 TerranVehicleArmorsLevel3 TransformationServos haltech
    overlordtransport
"""
"""Upgrades of other versions of the game: no building of this one offers them."""


def places_of_research() -> list[tuple[str, str]]:
    pairs = []
    for name, line in UPGRADES.items():
        for place in line["researched_at"].split("|"):
            building = line["requires"].partition("addon_to:")[2].partition("|")[0]
            if place and (place != "TechLab" or f"{building}TechLab" not in line["researched_at"]):
                pairs.append((f"{building}TechLab" if place == "TechLab" else place, name))
    return pairs


def test_every_upgrade_of_this_version_is_researched_somewhere():
    assert set(UPGRADES) == {name for _, name in places_of_research()} | set(NOT_RESEARCHED.split())


@pytest.mark.parametrize(("place", "name"), places_of_research())
def test_upgrades_take_the_time_and_the_cost_of_the_table(place: str, name: str):
    line = UPGRADES[name]
    yard = Yard(UNITS[place]["race"])
    scene = yard.scene
    yard.fulfil(line["requires"])
    if place.endswith("TechLab"):
        yard.put(place.removesuffix("TechLab"), add_on=place)
        tag = scene.all_of(place, 1)[0]
    else:
        tag = yard.put(place)
    purse = yard.purse()
    assert scene.order(int(line["ability_id"]), tag) == OK
    cost = purse[0] - yard.purse()[0], purse[1] - yard.purse()[1]
    assert cost == (float(line["minerals"]), float(line["gas"]))
    upgrade = int(line["upgrade_id"])
    loops = scene.run_until(lambda: bool(scene.world.upgrades[1, upgrade]), 5000)
    assert loops == pytest.approx(float(line["research_loops"]), rel=0.05)


# Vitals and supply.


@pytest.mark.parametrize("name", UNITS)
def test_units_have_the_vitals_and_the_supply_of_the_table(name: str):
    scene = Scene()
    columns = {"health": "hp", "shield": "shields", "energy": "energy_start"}
    player = scene.world.players[1]
    used, given = int(player["supply_used"]), int(player["supply_made"])
    unit = scene.put(name, 1, 30.5, 40.5)
    vitals = {field: scene.value(unit, field) / ONE for field in columns}
    assert vitals == {field: figure(name, column) for field, column in columns.items()}
    assert (player["supply_used"] - used) / 2 == figure(name, "supply_used")
    assert (player["supply_made"] - given) / 2 == figure(name, "supply_given")


# Speeds.


SENT_NOWHERE = ("Larva",)  # takes no orders to move


@pytest.mark.parametrize(
    "name",
    [name for name in UNITS if figure(name, "dist_per_loop") and name not in SENT_NOWHERE],
)
def test_units_walk_and_fly_at_the_speed_of_the_table(name: str):
    scene = Scene()
    unit = scene.put(name, 1, 16, 28)
    assert scene.order("move", unit, at=(58, 28)) == OK
    scene.run(8)
    start, _ = scene.place(unit)
    scene.run(64)
    a_second = (scene.place(unit)[0] - start) / 64 * 22.4
    assert a_second == pytest.approx(figure(name, "speed_faster_per_s"), rel=0.05)


# Weapons.


class Weapon(NamedTuple):
    """A weapon of the table; its cooldown in loops."""

    name: str
    layers: tuple[str, ...]
    damage: float
    against: str
    bonus: float
    attacks: int
    reach: float
    cooldown: float

    def hit(self, target: str) -> float:
        """What each of its attacks takes from the health of a target."""
        bonus = self.bonus if self.against in attributes(target) else 0
        return max(self.damage + bonus - figure(target, "armour"), 0.5)


LAYERS = {"G": ("ground",), "Air": ("air",), "A": ("ground", "air")}
TARGETS = {
    "ground": ("Marine", "Hellion", "Infestor"),
    "air": ("Banshee", "Mutalisk", "Overlord", "BroodLord"),
}
"""Without shields, and all but Brood Lords without armour."""

SHOOTS_AS = {"WidowMine": "WidowMineBurrowed"}


def attributes(name: str) -> list[str]:
    return UNITS[name]["attributes"].split("|")


def weapons_of(name: str) -> list[Weapon]:
    column = "weapons(target;damage;bonus;attacks;range;cooldown_normal_s)"
    weapons = []
    for text in filter(None, UNITS[name][column].split(" & ")):
        layers, damage, bonus, attacks, reach, seconds = text.split(";")
        against, _, more = bonus.partition("+")
        weapons.append(
            Weapon(
                name,
                LAYERS[layers],
                damage=float(damage),
                against=against or "nothing",
                bonus=float(more or 0),
                attacks=int(attacks),
                reach=float(reach),
                cooldown=16 * float(seconds),
            )
        )
    return weapons


def is_fixed(name: str) -> bool:
    return name in SHOOTS_AS or not figure(name, "dist_per_loop")


def facing(name: str, target: str, gap: float) -> tuple[Scene, int, int]:
    """A unit of player 1's and one of player 2's, so far apart from edge to edge."""
    scene = Scene()
    if is_structure(name):
        scene.world.creep[32:48, 16:64] = 1
        scene.put("Pylon", 1, 30, 45)
    apart = figure(name, "radius") + gap + figure(target, "radius")
    unit = scene.put(SHOOTS_AS.get(name, name), 1, 30.5, 40.5)
    other = scene.put(target, 2, 30.5 + apart, 40.5)
    scene.order("hold", unit)
    scene.order("hold", other)
    return scene, unit, other


def facing_a_dummy(name: str, target: str, gap: float) -> tuple[Scene, int, int]:
    """A unit before another that neither fights nor walks and will not die."""
    scene, unit, dummy = facing(name, target, gap)
    slot = scene.game.slot(dummy)
    scene.game.units["health"][slot] = 100_000 * ONE
    scene.game.units["weapon_cooldown"][slot] = 1 << 24
    return scene, unit, dummy


def with_targets(weapon: Weapon) -> list[tuple[Weapon, str]]:
    """What to try a weapon on: for each layer a target that it has a bonus against, and one not."""
    pairs = []
    for layer in weapon.layers:
        for has_bonus in (False, True):
            for target in TARGETS[layer]:
                if (weapon.against in attributes(target)) is has_bonus:
                    pairs.append((weapon, target))
                    break
    return pairs


WEAPONS = [weapon for name in UNITS for weapon in weapons_of(name)]
WEAPONS_AND_TARGETS = [pair for weapon in WEAPONS for pair in with_targets(weapon)]


def called(value: Weapon | str) -> str:
    return value.name if isinstance(value, Weapon) else value


def test_every_bonus_is_tried():
    tried = {
        weapon for weapon, target in WEAPONS_AND_TARGETS if weapon.against in attributes(target)
    }
    assert tried == {weapon for weapon in WEAPONS if weapon.bonus}


@pytest.mark.parametrize(("weapon", "target"), WEAPONS_AND_TARGETS, ids=called)
def test_weapons_do_the_damage_of_the_table_at_its_rate(weapon: Weapon, target: str):
    scene, unit, dummy = facing_a_dummy(weapon.name, target, 0.95 * weapon.reach)
    scene.order("attack", unit, on=dummy)
    loops, damages, before = [], [], scene.health(dummy)
    for _ in range(round(20 * weapon.cooldown)):
        scene.run(1)
        now = scene.health(dummy)
        if now < before:
            loops.append(scene.match.loop)
            damages.append(before - now)
        before = now
    a_shot = weapon.attacks * weapon.hit(target)
    assert damages[0] == pytest.approx(a_shot, abs=0.01)
    if weapon.name == "Baneling":
        assert len(damages) == 1, "it dies of its attack"
        return
    a_loop = sum(damages[1:]) / (loops[-1] - loops[0])
    assert a_loop == pytest.approx(a_shot / weapon.cooldown, rel=0.05)


@pytest.mark.parametrize("weapon", WEAPONS, ids=called)
def test_weapons_reach_as_far_as_in_the_table(weapon: Weapon):
    margin = max(0.05 * weapon.reach, 0.05)
    for layer in weapon.layers:
        target = TARGETS[layer][0]
        scene, unit, dummy = facing_a_dummy(weapon.name, target, weapon.reach - margin)
        start, before = scene.place(unit), scene.health(dummy)
        scene.order("attack", unit, on=dummy)
        scene.run(2)
        assert scene.health(dummy) < before
        assert not scene.lives(unit) or scene.place(unit) == start

        scene, unit, dummy = facing_a_dummy(weapon.name, target, weapon.reach + margin)
        start, before = scene.place(unit), scene.health(dummy)
        scene.order("attack", unit, on=dummy)
        last = start
        for _ in range(60):
            last = scene.place(unit)
            scene.run(1)
            if scene.health(dummy) < before:
                break
        if is_fixed(weapon.name):
            assert scene.health(dummy) == before
            continue
        assert scene.health(dummy) < before
        radii = figure(weapon.name, "radius") + figure(target, "radius")
        gap = scene.place(dummy)[0] - last[0] - radii
        assert last != start
        assert weapon.reach - figure(weapon.name, "dist_per_loop") < gap + 0.01
        assert gap <= weapon.reach + 0.01


@pytest.mark.parametrize(
    ("name", "layer"),
    [
        (name, layer)
        for name in UNITS
        for layer in TARGETS
        if not any(layer in weapon.layers for weapon in weapons_of(name))
    ],
)
def test_nothing_is_shot_at_that_no_weapon_is_for(name: str, layer: str):
    scene, unit, dummy = facing_a_dummy(name, TARGETS[layer][0], 0.3)
    before = scene.health(dummy)
    scene.order("attack", unit, on=dummy)
    scene.run(60)
    scene.order("attack", unit, at=scene.place(dummy))
    scene.run(60)
    assert scene.health(dummy) == before


# Duels.

DUELS = [
    ("Marine", "Zergling"),
    ("Marauder", "Stalker"),
    ("Zealot", "Roach"),
    ("Roach", "Stalker"),
    ("Adept", "Hydralisk"),
    ("SiegeTank", "Immortal"),
    ("Thor", "Ultralisk"),
    ("Archon", "Ultralisk"),
    ("Phoenix", "Mutalisk"),
    ("VikingFighter", "Corruptor"),
    ("VoidRay", "Hydralisk"),
    ("Battlecruiser", "Carrier"),
    ("Queen", "Banshee"),
    ("PhotonCannon", "Marauder"),
    ("SpineCrawler", "Zealot"),
    ("Marine", "CommandCenter"),
    ("Stalker", "Hatchery"),
    ("Hydralisk", "Nexus"),
    ("SiegeTank", "Barracks"),
    ("Carrier", "SupplyDepot"),
]


def weapon_against(name: str, target: str) -> Weapon | None:
    layer = "air" if figure(target, "flying") else "ground"
    return next((weapon for weapon in weapons_of(name) if layer in weapon.layers), None)


def loops_to_kill(name: str, target: str) -> float:
    """By arithmetic: each attack takes from shields first, less armour from health.

    The first shot comes at once, so one cooldown fewer passes than there are shots. Zerg regain
    0.27 health a second at normal speed (Liquipedia, "Zerg Regeneration").
    """
    weapon = weapon_against(name, target)
    if weapon is None:
        return float("inf")
    shields, health, shots = figure(target, "shields"), figure(target, "hp"), 0
    armour = figure(target, "armour")
    full = weapon.hit(target) + armour
    regained = 0.27 / 16 * weapon.cooldown if UNITS[target]["race"] == "Zerg" else 0
    while health > 0:
        health += regained if shots else 0
        shots += 1
        for _ in range(weapon.attacks):
            held = min(shields, full)
            shields -= held
            if held < full:
                health -= max(full - held - armour, 0.5)
    return (shots - 1) * weapon.cooldown


def test_the_arithmetic_is_right_where_it_was_done_by_hand():
    # 35 health, and 1 more that grows back, at 6 a shot: 7 shots, so 6 cooldowns.
    assert loops_to_kill("Marine", "Zergling") == pytest.approx(6 * 13.77, abs=0.1)
    # 80 shields at 20 are 4 shots, 80 health at 20 - 1 are 5 more.
    assert loops_to_kill("Marauder", "Stalker") == 8 * 24
    # Two blows of 8 - 1 on 145 health and 3 more that grow back: 11 pairs.
    assert loops_to_kill("Zealot", "Roach") == pytest.approx(10 * 19.2)
    # 50 shields take 3 hits of 16 and 2 of the next, whose 13 and 6 of 15 leave none of 100 health.
    assert loops_to_kill("Roach", "Zealot") == 9 * 32
    # Two blows of 8 on 50 shields: 3 pairs leave 2; the next 6 - 1 and 7, then 14 a pair, take 100.
    assert loops_to_kill("Zealot", "Zealot") == pytest.approx(10 * 19.2)


@pytest.mark.parametrize(("one", "other"), DUELS)
def test_duels_last_as_long_as_arithmetic_says(one: str, other: str):
    reaches = [w.reach for w in (weapon_against(one, other), weapon_against(other, one)) if w]
    scene, unit, enemy = facing(one, other, 0.95 * min(reaches))
    times = {unit: loops_to_kill(other, one), enemy: loops_to_kill(one, other)}
    scene.order("attack", unit, on=enemy)
    scene.order("attack", enemy, on=unit)
    loops = scene.run_until(lambda: not (scene.lives(unit) and scene.lives(enemy)), 9000)
    loser = min(times, key=lambda tag: times[tag])
    assert not scene.lives(loser)
    assert loops == pytest.approx(times[loser], rel=0.05, abs=2)


# Income. Community measurements: TL.net, "LotV production spreadsheet", thread 501306, and
# Liquipedia, "Resources"; patches and geysers of one base, undisturbed.

LOOPS_A_MINUTE = round(22.4 * 60)
A_WORKER = 944 / 16
MINERALS_A_MINUTE = {12: 12 * A_WORKER, 16: 944, 24: 1144}
GAS_A_MINUTE = 320  # two geysers, three workers at each
WORKERS = {"Terran": "SCV", "Zerg": "Drone", "Protoss": "Probe"}
GAS_BUILDINGS = {"Terran": "Refinery", "Zerg": "Extractor", "Protoss": "Assimilator"}


def at_home(scene: Scene, trait: Trait) -> list[int]:
    """Tags of the minerals or geysers by player 1's start."""
    x, y = (round(value * ONE) for value in scene.match.game_map.starts[0])
    return [
        int(scene.game.units["tag"][slot])
        for slot in scene.game.resources()
        if scene.game.has_trait(slot, trait) and scene.game.distance(slot, x, y) < 11 * ONE
    ]


def a_minute_of(scene: Scene, collected: str) -> float:
    """What player 1 collects in a minute, of two, when work has gone on for half of one."""
    scene.run(LOOPS_A_MINUTE // 2)
    before = int(scene.world.players[collected][1])
    scene.run(2 * LOOPS_A_MINUTE)
    return (int(scene.world.players[collected][1]) - before) / 2


@pytest.mark.parametrize("number", MINERALS_A_MINUTE)
@pytest.mark.parametrize("race", RACES)
def test_workers_bring_the_minerals_that_they_do_in_the_game(race: str, number: int):
    scene = Scene(RACES[race], RACES[race], map_name="Simple64")
    patches = at_home(scene, Trait.MINERALS)
    assert len(patches) == 8
    x, y = scene.match.game_map.starts[0]
    while len(scene.all_of(WORKERS[race], 1)) < number:
        scene.put(WORKERS[race], 1, x, y - 4)
    for i, tag in enumerate(scene.all_of(WORKERS[race], 1)):
        scene.order("gather", tag, on=patches[i % 8])
    a_minute = a_minute_of(scene, "minerals_collected")
    assert a_minute == pytest.approx(MINERALS_A_MINUTE[number], rel=0.05)


@pytest.mark.parametrize("race", RACES)
def test_three_workers_a_geyser_bring_the_gas_that_they_do_in_the_game(race: str):
    scene = Scene(RACES[race], RACES[race], map_name="Simple64")
    workers = scene.all_of(WORKERS[race], 1)
    geysers = at_home(scene, Trait.GEYSER)
    assert len(geysers) == 2
    for i, geyser in enumerate(geysers):
        building = scene.put(GAS_BUILDINGS[race], 1, *scene.place(geyser), gas=2250)
        scene.game.units["home"][scene.game.slot(building)] = geyser
        for tag in workers[3 * i : 3 * i + 3]:
            scene.order("gather", tag, on=building)
    assert a_minute_of(scene, "gas_collected") == pytest.approx(GAS_A_MINUTE, rel=0.05)


def test_a_mule_brings_225_minerals_in_the_64_seconds_of_its_life():
    """25 a trip: the note of units.csv."""
    scene = Scene(TERRAN, TERRAN, map_name="Simple64")
    for tag in scene.all_of("SCV", 1):
        scene.order("stop", tag)
    hall = scene.all_of("CommandCenter", 1)[0]
    scene.game.transform(scene.game.slot(hall), scene.row["OrbitalCommand"])
    brought = []
    for patch in at_home(scene, Trait.MINERALS):
        scene.game.units["energy"][scene.game.slot(hall)] = 50 * ONE
        before = int(scene.world.players["minerals_collected"][1])
        assert scene.order(171, hall, on=patch) == OK
        scene.run(1)
        mule = scene.all_of("MULE", 1)[0]
        loops = scene.run_until(lambda mule=mule: not scene.lives(mule), 2000)
        assert loops == pytest.approx(64 * 22.4, rel=0.05)
        brought.append(int(scene.world.players["minerals_collected"][1]) - before)
    assert not any(minerals % 25 for minerals in brought)
    assert sum(brought) / 8 == pytest.approx(225, rel=0.05)


@pytest.mark.parametrize(("race", "supply"), [("Terran", 15), ("Zerg", 14), ("Protoss", 15)])
def test_everyone_starts_with_what_the_game_gives(race: str, supply: int):
    scene = Scene(RACES[race], RACES[race], map_name="Simple64")
    assert scene.minerals(1) == 50
    assert len(scene.all_of(WORKERS[race], 1)) == 12
    assert scene.world.players["supply_made"][1] == 2 * supply
    assert len(scene.all_of("Overlord", 1)) == (race == "Zerg")
    assert len(scene.all_of("Larva", 1)) == 3 * (race == "Zerg")
    contents = [scene.value(tag, "minerals") for tag in at_home(scene, Trait.MINERALS)]
    assert sorted(contents) == [900] * 4 + [1800] * 4
    assert [scene.value(tag, "gas") for tag in at_home(scene, Trait.GEYSER)] == [2250] * 2
