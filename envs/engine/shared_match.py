"""A match with those who take part in it: whose turn it is, and how time goes by.

Stepped, the match goes on to the lowest loop that anyone has asked for, and each is answered when
it has come to their own. In real time it goes by the clock: nothing runs in between, but whoever
looks first sets the match to where it should be, so that nobody can tell the difference.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Protocol

from envs.engine.match import LAST_LOOP, Match
from envs.engine.replay_file import Setting

LOOPS_PER_SECOND = 22.4
"""At speed Faster, which real time is."""

_LONGEST_WAIT_SECONDS = 0.5
_LOOPS_AT_ONCE = 256


class Pace(Enum):
    """What makes time go by."""

    STEPS = "steps"
    REAL_TIME = "real time"


class Course(Protocol):
    """A match that is played or played back."""

    @property
    def match(self) -> Match:
        """The match."""

    @property
    def setting(self) -> Setting:
        """What it is made from."""

    @property
    def loop(self) -> int:
        """Game loops since the start."""

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""

    def advance_to(self, loop: int) -> None:
        """Go on until a loop, or until it is over."""


class SharedMatch:
    """One match and the seats at it; each seat belongs to one session, in a thread of its own."""

    def __init__(self, course: Course, pace: Pace) -> None:
        self.course = course
        self.pace = pace
        self._changed = threading.Condition()
        self._targets: dict[int, int] = {}  # by seat
        self._num_seats = 0
        self._started = time.monotonic()

    def sit_down(self) -> int:
        """Take part; return the number of the seat."""
        with self._changed:
            self._num_seats += 1
            self._targets[self._num_seats] = self.course.loop
            return self._num_seats

    def stand_up(self, seat: int) -> None:
        """Take part no longer; the others need not wait any more."""
        with self._changed:
            self._targets.pop(seat, None)
            self._changed.notify_all()

    def wait_until_empty(self, *, timeout_seconds: float) -> None:
        """Wait until nobody takes part any more, or time is up."""
        with self._changed:
            self._changed.wait_for(lambda: not self._targets, timeout_seconds)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Have the match for oneself, at the loop that it should be at."""
        with self._changed:
            self._follow_clock()
            try:
                yield
            finally:
                self._changed.notify_all()  # the match may be over

    def step(self, seat: int, num_loops: int, is_wanted: Callable[[], bool]) -> int:
        """Go on by some loops, together with the others; return the loop reached.

        Args:
            seat: whose step it is.
            num_loops: by how many.
            is_wanted: whether somebody still waits for it; it is given up when nobody does.
        """
        with self._changed:
            target = min(self.course.loop + num_loops, LAST_LOOP)
            self._targets[seat] = target
            while self._goes_on(seat, target) and is_wanted():
                together = min(self._targets.values())
                if together > self.course.loop:
                    try:
                        self.course.advance_to(min(together, self.course.loop + _LOOPS_AT_ONCE))
                    finally:
                        self._changed.notify_all()
                else:
                    self._changed.wait(_LONGEST_WAIT_SECONDS)
            return self.course.loop

    def wait_for_loop(self, seat: int, loop: int, is_wanted: Callable[[], bool]) -> None:
        """Wait until the clock has come to a loop; the match may be over before."""
        with self._changed:
            self._follow_clock()
            while self._goes_on(seat, loop) and is_wanted():
                due = self._started + loop / LOOPS_PER_SECOND
                missing = max(due - time.monotonic(), 0.001)
                self._changed.wait(min(missing, _LONGEST_WAIT_SECONDS))
                self._follow_clock()

    def _goes_on(self, seat: int, loop: int) -> bool:
        return self.course.loop < loop and not self.course.is_over and seat in self._targets

    def _follow_clock(self) -> None:
        if self.pace is Pace.STEPS or self.course.is_over:
            return
        due = min(int((time.monotonic() - self._started) * LOOPS_PER_SECOND), LAST_LOOP)
        if due > self.course.loop:
            self.course.advance_to(due)
