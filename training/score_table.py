"""A score as a table for the terminal."""

from typing import Any

from rich.console import Group
from rich.table import Table

SCORE_FILE = "score.json"


def score_table(result: dict[str, Any]) -> Group:
    """Return what was scored, head by head, beside the baselines."""
    title = (
        f"{result['commands']} commands of {result['games']} games ({result['split']}); "
        f"{100 * result['left_out']['share']:.1f} % of all commands left out, for all rows alike"
    )
    action_types = Table("action type", "top-1", "top-5", "nats", title=title, title_justify="left")
    policy = result["action_type"]
    low, high = (100 * bound for bound in result["intervals"]["action_type"]["top1"])
    action_types.add_row(
        "policy",
        f"{_percent(policy['top1'])} ({low:.1f} to {high:.1f})",
        _percent(policy["top5"]),
        _number(policy["nll"]),
    )
    for name, baseline in result["baseline"].items():
        label = name.replace("_", " ")
        action_types.add_row(label, _percent(baseline["top1"]), "", _number(baseline["nll"]))
    return Group(action_types, _heads(result))


def _heads(result: dict[str, Any]) -> Table:
    units, place, delay = (result[head] for head in ("selected_units", "target_location", "delay"))
    heads = Table("head", "", "")
    heads.add_row(
        "selected units", f"overlap {_percent(units['iou'])}", f"exact {_percent(units['exact'])}"
    )
    heads.add_row("target unit", f"top-1 {_percent(result['target_unit']['top1'])}", "")
    heads.add_row(
        "target location",
        f"median {_number(place['median_units'])} units",
        f"within 3 {_percent(place['within_3'])}",
    )
    heads.add_row(
        "delay", f"median {_number(delay['median_abs'])} loops off", f"{_number(delay['nll'])} nats"
    )
    heads.add_row("queued", f"top-1 {_percent(result['queued']['top1'])}", "")
    return heads


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
