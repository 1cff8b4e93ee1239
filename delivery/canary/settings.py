"""What an environment wants of a canary: its file's section `[canary]`, as values."""

from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from delivery.fields import Chance, Duration, PositiveDuration, Section, Share


class MinimumDetectableEffect(Section):
    """The least increase of the failure rate (0.0 to 1.0) that a canary must not overlook."""

    stable: Share
    canary: Share

    def __str__(self) -> str:
        return f"failure rate {100 * self.stable:g} % -> {100 * self.canary:g} %"


class OnInconclusive(StrEnum):
    """What to do when the ceiling of a pause is reached without proof."""

    ROLLBACK = "rollback"
    APPROVAL = "approval"
    GUIDE = "guide"


class Canary(Section):
    """What an environment wants of a canary.

    pause: of each step, at least. ceiling: at most, times the pause. lateness: how long after its end a period's counts
    may still arrive. slow_after: the latency objective; what takes longer is slow. alpha: chance of a false abort in a
    whole release. sample_ratio_alpha: the same for a weight that is honoured. *_deadline: ours, not the controller's;
    mismatch_deadline: how long a confirmed weight may differ again. approval_timeout: how long a person has to decide.
    """

    pause: PositiveDuration
    period: PositiveDuration
    ceiling: float = Field(ge=1.0)
    lateness: Duration
    min_success_rate: Share
    slow_after: PositiveDuration
    alpha: Chance
    sample_ratio_alpha: Chance
    confidence: Chance
    non_inferiority_ratio: float = Field(gt=1.0)
    minimum_detectable_effect: MinimumDetectableEffect
    power: Chance
    on_inconclusive: OnInconclusive
    approval_timeout: Duration
    ready_deadline: Duration
    weight_deadline: Duration
    mismatch_deadline: Duration
    abort_deadline: Duration
    poll: PositiveDuration

    @model_validator(mode="after")
    def counts_within_a_pause(self) -> Self:
        if self.pause < self.period:
            raise ValueError(
                f"pause is {self.pause}, shorter than one period of {self.period}: nothing would be counted"
            )
        return self
