"""CloudWatch's statistics over the data of one period; pure."""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d+)?|100)")
RANGE = re.compile(r"(PR|TC)\(([\d.]*):([\d.]*)\)")


@dataclass(frozen=True)
class Datum:
    """A value that was seen `count` times, or a statistic set; single values have the same minimum and maximum."""

    total: float
    minimum: float
    maximum: float
    count: float

    @property
    def value(self) -> float | None:
        """The single value, or None for a statistic set that hides its values."""
        return self.minimum if self.minimum == self.maximum else None


def single(value: float, count: float = 1.0) -> Datum:
    return Datum(value * count, value, value, count)


PLAIN: dict[str, Callable[[Sequence[Datum]], float]] = {
    "Sum": lambda data: math.fsum(datum.total for datum in data),
    "SampleCount": lambda data: sum(datum.count for datum in data),
    "Average": lambda data: math.fsum(datum.total for datum in data) / sum(datum.count for datum in data),
    "Minimum": lambda data: min(datum.minimum for datum in data),
    "Maximum": lambda data: max(datum.maximum for datum in data),
}


def statistic(name: str, data: Sequence[Datum]) -> float | None:
    """The statistic by CloudWatch's name for it, or None when it cannot be told from statistic sets.

    Besides the plain ones: percentiles (`p99`), percentile ranks in percent (`PR(:0.3)`), trimmed counts (`TC(0.3:)`),
    with the lower bound outside and the upper bound inside. ValueError on any other name.
    """
    if name in PLAIN:
        return PLAIN[name](data)
    singles = [(datum.value, datum.count) for datum in data if datum.value is not None]
    is_hidden = len(singles) != len(data)
    if percentile := PERCENTILE.fullmatch(name):
        return None if is_hidden else _percentile(float(percentile[1]), sorted(singles))
    if limits := RANGE.fullmatch(name):
        return None if is_hidden else _share(limits[1], float(limits[2] or "-inf"), float(limits[3] or "inf"), singles)
    raise ValueError(f"{name} is not a statistic the sandbox offers")


def _share(kind: str, lower: float, upper: float, singles: Sequence[tuple[float, float]]) -> float:
    inside = sum(count for value, count in singles if lower < value <= upper)
    return inside if kind == "TC" else 100 * inside / sum(count for _, count in singles)


def _percentile(percent: float, singles: Sequence[tuple[float, float]]) -> float:
    """Nearest rank; singles: sorted values with their counts."""
    rank = percent / 100 * sum(count for _, count in singles)
    seen = 0.0
    for value, count in singles:
        seen += count
        if seen >= rank:
            return value
    return singles[-1][0]
