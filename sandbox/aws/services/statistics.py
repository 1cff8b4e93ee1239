"""The statistics of CloudWatch for the data of one period."""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d+)?|100)")
RANGE = re.compile(r"(PR|TC)\(([\d.]*):([\d.]*)\)")


@dataclass(frozen=True)
class Datum:
    """A value with its count, or a statistic set. The minimum and maximum of a value are equal."""

    total: float
    minimum: float
    maximum: float
    count: float

    @property
    def value(self) -> float | None:
        """The value, or None for a statistic set, which does not contain its values."""
        return self.minimum if self.minimum == self.maximum else None


def single(value: float, count: float = 1.0) -> Datum:
    return Datum(value * count, value, value, count)


BASIC: dict[str, Callable[[Sequence[Datum]], float]] = {
    "Sum": lambda data: math.fsum(datum.total for datum in data),
    "SampleCount": lambda data: sum(datum.count for datum in data),
    "Average": lambda data: math.fsum(datum.total for datum in data) / sum(datum.count for datum in data),
    "Minimum": lambda data: min(datum.minimum for datum in data),
    "Maximum": lambda data: max(datum.maximum for datum in data),
}


def statistic(name: str, data: Sequence[Datum]) -> float | None:
    """The statistic with this CloudWatch name. None if it cannot be computed from statistic sets.

    Supported are the basic statistics, percentiles (`p99`), percentile ranks in percent (`PR(:0.3)`) and trimmed counts
    (`TC(0.3:)`). A range excludes its lower bound and includes its upper bound. ValueError for any other name.
    """
    if name in BASIC:
        return BASIC[name](data)
    singles = [(datum.value, datum.count) for datum in data if datum.value is not None]
    is_hidden = len(singles) != len(data)
    if percentile := PERCENTILE.fullmatch(name):
        return None if is_hidden else _percentile(float(percentile[1]), sorted(singles))
    if limits := RANGE.fullmatch(name):
        lower, upper = float(limits[2] or "-inf"), float(limits[3] or "inf")
        return None if is_hidden else _in_range(limits[1], lower, upper, singles)
    raise ValueError(f"The sandbox does not support the statistic {name}.")


def _in_range(kind: str, lower: float, upper: float, singles: Sequence[tuple[float, float]]) -> float:
    inside = sum(count for value, count in singles if lower < value <= upper)
    return inside if kind == "TC" else 100 * inside / sum(count for _, count in singles)


def _percentile(percent: float, singles: Sequence[tuple[float, float]]) -> float:
    """The nearest-rank percentile. singles: sorted values with their counts."""
    rank = percent / 100 * sum(count for _, count in singles)
    seen = 0.0
    for value, count in singles:
        seen += count
        if seen >= rank:
            return value
    return singles[-1][0]
