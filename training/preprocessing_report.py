"""How well a folder of replays was read: ``report.json`` beside the dataset."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from envs.interface import raw_functions
from envs.replays.quality import histogram_from, median_of
from training.whole_files import write_json

_FRACTIONS = {
    "clean_fraction": ("clean", "commands"),
    "clean_mapped_fraction": ("clean_mapped", "commands"),
    "plausible_fraction": ("plausible", "commands"),
    "repeat_fraction": ("repeat", "commands"),
    "no_effect_fraction": ("no_effect", "commands"),
    "producer_fraction": ("productions_by_producer", "productions"),
}


def write_report(records: list[dict[str, Any]], dataset: Path) -> dict[str, Any]:
    """Add up the records of a dataset's files, write ``report.json`` and return it."""
    accepted = [record for record in records if "refused" not in record]
    refused: dict[str, list[str]] = {}
    for record in records:
        if "refused" in record:
            refused.setdefault(record["refused"], []).append(record["file"])
    counts = _added(record["quality"]["counts"] for record in accepted)
    replay_bytes = sum(record["replay_bytes"] for record in accepted)
    shard_bytes = sum(record["shard_bytes"] for record in accepted)
    report = {
        "games": len(accepted),
        "refused": refused,
        "commands": counts["commands"],
        **_fractions(counts),
        **_position_errors(accepted),
        "cpu_seconds_per_game": _mean([record["cpu_seconds"] for record in accepted]),
        "bytes_per_replay_byte": round(shard_bytes / replay_bytes, 3) if replay_bytes else None,
        "by_base_build": _by_base_build(accepted),
        "legality": _legality(accepted),
        "unmapped": dict(_added(r["quality"]["unmapped"] for r in accepted).most_common()),
    }
    write_json(dataset / "report.json", report)
    return report


def _fractions(counts: Counter[str]) -> dict[str, float | None]:
    return {
        name: round(counts[part] / counts[whole], 5) if counts[whole] else None
        for name, (part, whole) in _FRACTIONS.items()
    }


def _position_errors(records: list[dict[str, Any]]) -> dict[str, float | None]:
    """Return median distances, in world units, at the tracker's reports of positions."""

    def median(whose: str, what: str) -> float | None:
        histograms = [r["quality"]["position_error"][f"{whose}_{what}"] for r in records]
        if not histograms:
            return None
        total = np.sum([histogram_from(histogram) for histogram in histograms], axis=0)
        value = median_of(total)
        return None if value is None else round(value, 3)

    return {
        "position_error_median": median("own", "reckoned"),
        "position_error_last_known_median": median("own", "last_known"),
        "enemy_position_error_median": median("enemy", "reckoned"),
        "enemy_position_error_last_known_median": median("enemy", "last_known"),
    }


def _by_base_build(records: list[dict[str, Any]]) -> dict[str, Any]:
    builds = sorted({record["game"]["base_build"] for record in records})
    result = {}
    for build in builds:
        of_build = [record for record in records if record["game"]["base_build"] == build]
        counts = _added(record["quality"]["counts"] for record in of_build)
        result[str(build)] = {
            "games": len(of_build),
            "commands": counts["commands"],
            **_fractions(counts),
        }
    return result


def _legality(records: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what share of labels the table of legal functions forbids, function by function."""
    labels = _added(record["quality"]["labels"] for record in records)
    forbidden = _added(record["quality"]["illegal_labels"] for record in records)
    total = sum(labels.values())
    return {
        "forbidden_fraction": round(sum(forbidden.values()) / total, 6) if total else None,
        "by_function": {
            raw_functions()[int(action_type)].name: {
                "labels": count,
                "forbidden": forbidden[action_type],
                "forbidden_fraction": round(forbidden[action_type] / count, 6),
            }
            for action_type, count in labels.most_common()
        },
    }


def _added(counts: Iterable[dict[str, int]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for count in counts:
        total.update(count)
    return total


def _mean(values: list[float]) -> float | None:
    return round(sum(values) / len(values), 4) if values else None
