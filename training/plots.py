"""Pictures of a score."""

from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from training.whole_files import whole_file

_POLICY, _BASELINE = "#3b6fb6", "#b8b8b8"


def plot_score(result: dict[str, Any], path: Path) -> None:
    """Draw action types beside the baselines, and every head by race and by phase of the game."""
    figure = Figure(figsize=(11, 7), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, 2)
    _against_baselines(axes[0, 0], result, "top1", "top-1, per cent", 100.0)
    _against_baselines(axes[0, 1], result, "nll", "nats, lower is better", 1.0)
    _by_group(axes[1, 0], result["by_race"], "by race")
    _by_group(axes[1, 1], result["by_phase"], "by minutes of the game")
    games, commands = result["games"], result["commands"]
    figure.suptitle(f"{commands} commands of {games} held-out games ({result['split']})")
    with whole_file(path) as unfinished:
        figure.savefig(unfinished, format="png", dpi=120)


def _against_baselines(
    axes: Axes, result: dict[str, Any], number: str, label: str, scale: float
) -> None:
    names = [*result["baseline"], "policy"]
    values = [result["baseline"][name][number] for name in names[:-1]]
    values.append(result["action_type"][number])
    low, high = result["intervals"]["action_type"][number]
    errors = [
        [0.0] * len(names[:-1]) + [values[-1] - low],
        [0.0] * len(names[:-1]) + [high - values[-1]],
    ]
    bars = axes.barh(
        [name.replace("_", " ") for name in names],
        [scale * value for value in values],
        color=[_BASELINE] * len(names[:-1]) + [_POLICY],
        xerr=[[scale * max(0.0, error) for error in side] for side in errors],
    )
    axes.bar_label(bars, fmt="%.1f" if scale > 1 else "%.2f", padding=3)
    axes.margins(x=0.12)
    axes.set_title(f"action type: {label}")


def _by_group(axes: Axes, groups: dict[str, Any], title: str) -> None:
    numbers = [
        ("action type top-1", "action_type", "top1"),
        ("units overlap", "selected_units", "iou"),
        ("target unit top-1", "target_unit", "top1"),
        ("location within 3", "target_location", "within_3"),
    ]
    width = 0.8 / len(numbers)
    for i, (label, head, number) in enumerate(numbers):
        values = [100 * (group[head][number] or 0.0) for group in groups.values()]
        axes.bar([k + i * width for k in range(len(groups))], values, width, label=label)
    axes.set_xticks([k + 1.5 * width for k in range(len(groups))], list(groups))
    axes.set_ylabel("per cent")
    axes.set_title(title)
    axes.set_ylim(0, 125)
    axes.legend(fontsize="small", loc="upper center", ncols=2)
