"""The section `[canary]` of an environment's file."""

from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from delivery.fields import Duration, Fraction, PositiveDuration, Probability, Section, format_duration


class MinimumDetectableEffect(Section):
    """The failure rates of a stable revision and of a harmful canary."""

    stable: Fraction
    """Failure rate of the stable revision."""

    canary: Fraction
    """Failure rate of the harmful canary, above that of the stable revision. With a larger value, fewer requests are
    enough for a PASS.
    """

    def __str__(self) -> str:
        return f"an increase of the failure rate from {100 * self.stable:g} % to {100 * self.canary:g} %"


class OnInconclusive(StrEnum):
    """What to do if the longest pause ends without proof."""

    ROLLBACK = "rollback"
    APPROVAL = "approval"
    GUIDE = "guide"


class Canary(Section):
    """How a canary is judged, and how long a release waits for the Rollout.

    The weights of the canary steps are in the manifest of the Rollout. docs/verdict.md explains the statistics.
    """

    pause: PositiveDuration
    """Shortest pause of a canary step whose verdict is PASS. A FAIL ends the pause at once, with one exception: if the
    only reason is the success rate, and the stable revision is below `min_success_rate` too, the canary fails after
    this pause.
    """

    period: PositiveDuration
    """Length of one counting interval. It must not be longer than `pause`. CloudWatch
    has one count per minute, so use whole minutes on AWS.
    """

    ceiling: float = Field(ge=1.0)
    """Longest pause, as a multiple of `pause`. A step without proof extends its pause up to this limit, then
    `on_inconclusive` applies.
    """

    lateness: Duration
    """How long after its end a period is read, because CloudWatch publishes counts late. If counts are still missing
    then, the judge can wait once more for this time.
    """

    min_success_rate: Fraction
    """Success rate that a canary needs. The verdict is FAIL if there is proof that the success rate is lower. The
    manifests use this value as `${MIN_SUCCESS_RATE}` in the analysis of the Rollout.
    """

    slow_after: PositiveDuration
    """Latency objective. A request whose response takes longer counts as slow."""

    alpha: Probability
    """Highest probability that the judge finds harm although the canary fails no more often than the stable revision.
    It covers all steps of a release together.
    """

    sample_ratio_alpha: Probability
    """Highest probability that a sample-ratio mismatch is reported although the weight is in force."""

    confidence: Probability
    """Confidence level of the interval for the success rate that is compared with `min_success_rate`."""

    non_inferiority_ratio: float = Field(gt=1.0)
    """Non-inferiority margin: there is enough proof for a PASS if the canary is proven to fail less than this many
    times as often as the stable revision.
    """

    minimum_detectable_effect: MinimumDetectableEffect
    """The smallest increase of the failure rate that the judge must detect. A smaller increase can be promoted."""

    power: Probability
    """Probability with which the judge must be able to detect harm of the size of `minimum_detectable_effect`. Without
    proof of non-inferiority, a PASS needs enough requests for this probability.
    """

    on_inconclusive: OnInconclusive
    """What to do if the longest pause ends without proof. `rollback` rolls the canary back. `approval` waits for the
    decision of a person. `guide` promotes if the success rate is at least `min_success_rate`, the counts are complete
    and current, and there is no sample-ratio mismatch. Otherwise it rolls the canary back.
    """

    approval_timeout: Duration
    """How long a person has for an approval. Without a decision, the canary is rolled back."""

    ready_deadline: Duration
    """How long a release waits for pods: until the canary reaches its next pause, the new revision has all pods, or a
    rollback is complete. After this time the release fails.
    """

    weight_deadline: Duration
    """How long a release or a rollback waits until all weight sources state the new weight. After this time it
    fails.
    """

    mismatch_deadline: Duration
    """How long, during a pause, a confirmed weight may differ or the canary may have too few pods. After this time the
    release fails.
    """

    abort_deadline: Duration
    """How long a rollback waits until the controller has aborted the canary. After this time it restores the pod
    template without the controller's confirmation.
    """

    poll: PositiveDuration
    """Time between two reads of the pods, the alarms and the weight."""

    @model_validator(mode="after")
    def require_a_period_per_pause(self) -> Self:
        if self.pause < self.period:
            pause, period = format_duration(self.pause), format_duration(self.period)
            raise ValueError(f"pause ({pause}) is shorter than period ({period}), so no request would be counted")
        return self
