"""How far a run is, and when it is done."""

import time
from typing import Any

from agent.run_checkpoints import Best
from training.streams import ReaderPosition, position_from_json, position_to_json


class RunClock:
    """What a run has used of its budget; all of it is kept in the run's checkpoints."""

    def __init__(self, *, minutes: float | None, steps: int | None) -> None:
        self.num_steps = 0  # agent steps read
        self.num_validations = 0
        self.position: ReaderPosition | None = None
        self.best: Best | None = None
        self._minutes = minutes
        self._steps = steps
        self._seconds_before = 0.0
        self._started: float | None = None

    def start(self) -> None:
        """Begin to count the time."""
        self._started = time.monotonic()

    @property
    def seconds(self) -> float:
        """Time spent, in all parts of the run."""
        passed = 0.0 if self._started is None else time.monotonic() - self._started
        return self._seconds_before + passed

    @property
    def progress(self) -> float:
        """Share of the budget that is used; of steps and time, whichever ends first."""
        of_steps = 0.0 if self._steps is None else self.num_steps / self._steps
        of_time = 0.0 if self._minutes is None else self.seconds / (60 * self._minutes)
        return min(1.0, max(of_steps, of_time))

    def to_json(self) -> dict[str, Any]:
        """Return all that was used, as plain values."""
        return {
            "num_steps": self.num_steps,
            "num_validations": self.num_validations,
            "seconds": self.seconds,
            "best": self.best,
            "position": None if self.position is None else position_to_json(self.position),
        }

    def resumed(self, values: dict[str, Any]) -> "RunClock":
        """Take up what ``to_json`` wrote."""
        self.num_steps = values["num_steps"]
        self.num_validations = values["num_validations"]
        self.best = None if values["best"] is None else Best(*values["best"])
        self.position = None
        if values["position"] is not None:
            self.position = position_from_json(values["position"])
        self._seconds_before = values["seconds"]
        return self
