"""Where a Rollout stands: each question is answered by None, or by the sentence that says why not.

Raw status is stale after every write, so each asks first whether the controller has observed the specification.
"""

import math

from delivery.rollout.manifests import CanaryStep
from delivery.rollout.snapshot import Condition, RolloutSnapshot

UNOBSERVED = "the controller has not observed the specification yet"
# It writes spec.replicas where there is a HorizontalPodAutoscaler.
AUTOSCALER = "kube-controller-manager"
# How the controller begins to say why it aborts by itself.
ANALYSIS = "Background analysis phase"
UNKNOWN = Condition("Unknown")


def why_not_ready_to_start(snapshot: RolloutSnapshot) -> str | None:
    """PRE: all traffic on one revision, at rest, and nobody's hand on it."""
    return _first(
        (not snapshot.is_observed, UNOBSERVED),
        (snapshot.is_paused_manually, "it is paused by hand (spec.paused)"),
        (snapshot.is_abort_asked, "it is aborted"),
        (not snapshot.stable_hash, "it has no stable revision yet"),
        (snapshot.current_hash != snapshot.stable_hash, "a canary is under way"),
        (snapshot.phase != "Healthy", f"it is {_say(snapshot)}"),
        (not _holds(snapshot, "Healthy"), "its condition Healthy is not True: pods of an older revision may be left"),
    )


def why_not_started(snapshot: RolloutSnapshot, stable_hash: str, image: str) -> str | None:
    """STARTED: the controller has made a revision with this image beside the stable one."""
    current = snapshot.current
    return _first(
        (not snapshot.is_observed, UNOBSERVED),
        (snapshot.current_hash == stable_hash, "the controller has not made a new revision"),
        (current is None, f"there is no ReplicaSet of revision {snapshot.current_hash} yet"),
        (current is not None and current.image != image, f"its new revision runs {current and current.image}"),
    )


def why_not_at_pause(snapshot: RolloutSnapshot, step: CanaryStep, canary_hash: str) -> str | None:
    """AT_PAUSE: it waits at this very pause for us, with the canary's pods available and its weight written.

    Clearing a pause that is not this one would skip a step, hence so many questions.
    """
    missing = why_not_available(snapshot, canary_hash, step.weight_percent)
    is_near = snapshot.step_index in (step.pause_index - 1, step.pause_index)
    at = _first(
        (not snapshot.is_observed, UNOBSERVED),
        (snapshot.current_hash != canary_hash, f"its revision is {snapshot.current_hash}, not {canary_hash}"),
        (snapshot.is_abort_asked, "it is aborted"),
        # The step before the pause ends once its pods are available: that they are not says more than its number.
        (is_near and missing is not None, f"of the canary, {missing}"),
        (snapshot.step_index != step.pause_index, f"it is at step {snapshot.step_index}, not at {step.pause_index}"),
        (snapshot.phase != "Paused", f"it is {_say(snapshot)}"),
    )
    return at or _why_not_our_pause(snapshot, step) or _why_not_weighed(snapshot, step, canary_hash)


def _why_not_our_pause(snapshot: RolloutSnapshot, step: CanaryStep) -> str | None:
    """Whether what it is paused by is this very step, and nothing besides."""
    return _first(
        (snapshot.is_paused_manually, "it is paused by hand (spec.paused)"),
        (not snapshot.is_paused_by_controller, "the controller has not put the pause"),
        (snapshot.pause_reasons != ("CanaryPauseStep",), f"its pauses are {snapshot.pause_reasons}"),
        (step.pause_index >= len(snapshot.steps), "its steps are others than planned"),
        (_pause_of(snapshot, step) != {"pause": {}}, f"step {step.pause_index} is no pause without duration"),
    )


def _why_not_weighed(snapshot: RolloutSnapshot, step: CanaryStep, canary_hash: str) -> str | None:
    """Whether the controller has written the step's weight for this revision."""
    weights = snapshot.weights
    if weights is None:
        return "the controller has written no weights"
    if (weights.canary_weight_percent, weights.canary_hash) == (step.weight_percent, canary_hash):
        return None
    why = _why_weight_stays(snapshot, step)
    return f"the controller's weight is {weights.canary_weight_percent} %, not {step.weight_percent} %{why}"


def why_not_available(snapshot: RolloutSnapshot, pod_hash: str, weight_percent: int) -> str | None:
    """Whether a revision has the pods for its share of the traffic, rounded up; each pod that is not ready is named."""
    found = snapshot.replica_set(pod_hash)
    needed, available = math.ceil(weight_percent * snapshot.replicas / 100), found.available if found else 0
    if available >= needed:
        return None
    unready = snapshot.describe_unready(pod_hash)
    return f"{available} of {needed} pods are available{f' ({unready})' if unready else ''}"


def why_not_promoted_past(snapshot: RolloutSnapshot, step: CanaryStep, canary_hash: str) -> str | None:
    """PROMOTED: the controller has taken note that the pause is over, and went on."""
    return _first(
        (not snapshot.is_observed, UNOBSERVED),
        (snapshot.is_abort_asked, "it is aborted"),
        (snapshot.current_hash != canary_hash, f"its revision is {snapshot.current_hash}, not {canary_hash}"),
        ((snapshot.step_index or 0) <= step.pause_index, f"it is still at step {snapshot.step_index}"),
        (is_being_cleared(snapshot), "the controller has not taken note of the cleared pause"),
    )


def why_not_done(snapshot: RolloutSnapshot, pod_hash: str) -> str | None:
    """DONE: the revision has all traffic, every pod, and nothing of another one is left in the weights."""
    weights, canary = snapshot.weights, snapshot.replica_set(pod_hash)
    return _first(
        (not snapshot.is_observed, UNOBSERVED),
        (snapshot.current_hash != pod_hash, f"its revision is {snapshot.current_hash}, not {pod_hash}"),
        (snapshot.stable_hash != pod_hash, f"its stable revision is {snapshot.stable_hash or 'none'}"),
        (snapshot.phase != "Healthy", f"it is {_say(snapshot)}"),
        (not _holds(snapshot, "Healthy"), "its condition Healthy is not True: pods of an older revision are left"),
        (canary is None or canary.available < snapshot.replicas, why_not_available(snapshot, pod_hash, 100) or ""),
        (weights is None, "the controller has written no weights"),
        (
            weights is not None and weights.canary_weight_percent != 0,
            f"the canary's weight is {weights and weights.canary_weight_percent} %",
        ),
        (weights is not None and weights.stable_hash != pod_hash, "the weights name another stable revision"),
    )


def why_not_aborted(snapshot: RolloutSnapshot) -> str | None:
    """ABORTED: the stable revision has all traffic and the pods for it; the template is still the bad one."""
    weights, stable = snapshot.weights, snapshot.stable
    return _first(
        (not snapshot.is_observed, UNOBSERVED),
        (not snapshot.is_abort_asked, "it is not aborted"),
        (not snapshot.aborted_at, "the controller has not acted on the abort"),
        (
            snapshot.conditions.get("Progressing", UNKNOWN).reason != "RolloutAborted",
            "it does not report RolloutAborted",
        ),
        (weights is None or weights.canary_weight_percent != 0, "the canary's weight is not 0 %"),
        (stable is None or stable.available < snapshot.replicas, "the stable revision has not all its pods"),
    )


def why_broken(snapshot: RolloutSnapshot, pod_hash: str) -> str | None:
    """BROKEN, asked the other way round: what makes waiting for this revision pointless; None while it may come."""
    invalid, failure = (
        snapshot.conditions.get("InvalidSpec", UNKNOWN),
        snapshot.conditions.get("ReplicaFailure", UNKNOWN),
    )
    if not snapshot.is_observed:
        return None
    return _first(
        (invalid.status == "True", f"the controller refuses its specification: {invalid.message}"),
        (
            snapshot.current_hash != pod_hash,
            f"{_somebody(snapshot, pod_hash)} changed it: its revision is {snapshot.current_hash}, not {pod_hash}",
        ),
        (
            snapshot.is_abort_asked and ANALYSIS in snapshot.message,
            f"the analysis in the cluster aborted it: {snapshot.message}",
        ),
        (snapshot.is_abort_asked, f"{_somebody(snapshot, pod_hash)} aborted it: {snapshot.message}"),
        (snapshot.is_paused_manually, f"{_somebody(snapshot, pod_hash)} paused it by hand (spec.paused)"),
        (failure.status == "True", f"its pods cannot be made: {failure.message}"),
        (_progressing(snapshot) == "ProgressDeadlineExceeded", "its pods did not become available in time"),
        ("InconclusiveAnalysisRun" in snapshot.pause_reasons, "the analysis in the cluster is inconclusive"),
    )


def why_moved(snapshot: RolloutSnapshot, step: CanaryStep, canary_hash: str, stable_hash: str) -> str | None:
    """Who is at a pause of ours stays there: the sentence that says what moved it, when we did not."""
    others, somebody = snapshot.writers_since(canary_hash), _somebody(snapshot, canary_hash)
    is_scaled = any(writer.owns_replicas and writer.manager != AUTOSCALER for writer in others)
    return why_broken(snapshot, canary_hash) or _first(
        (is_scaled, f"{somebody} scaled it to {snapshot.replicas} pods"),
        (
            snapshot.stable_hash != stable_hash,
            f"its stable revision became {snapshot.stable_hash}, it was {stable_hash}",
        ),
        (snapshot.step_index != step.pause_index, f"{somebody} moved it to step {snapshot.step_index}"),
        (snapshot.pause_reasons == (), f"{somebody} cleared its pause"),
    )


def is_being_cleared(snapshot: RolloutSnapshot) -> bool:
    """A pause was taken away, and the controller has not noticed: phase still says Paused."""
    return snapshot.is_paused_by_controller and not snapshot.pause_reasons


def is_controller_idle(snapshot: RolloutSnapshot) -> bool:
    """Whether something was asked of the controller that takes it a moment, and it has not taken note: asked about a
    reading that is long past, it does not run.
    """
    is_abort_unseen = snapshot.is_abort_asked and not snapshot.aborted_at
    return not snapshot.is_observed or is_abort_unseen or is_being_cleared(snapshot)


def is_inside_window(snapshot: RolloutSnapshot, pod_hash: str) -> bool:
    """Whether the controller would give a revision all traffic at once: it is older than the stable one, with fewer
    revisions between them than the Rollout's rollbackWindow.
    """
    made = {found.hash: found.created_at for found in snapshot.replica_sets}
    if snapshot.stable_hash not in made or made[pod_hash] >= made[snapshot.stable_hash]:
        return False
    between = [at for at in made.values() if made[pod_hash] < at < made[snapshot.stable_hash]]
    return len(between) < snapshot.rollback_window


def _somebody(snapshot: RolloutSnapshot, pod_hash: str) -> str:
    """Who wrote the Rollout since our revision was on its way. A cleared pause leaves no trace of who cleared it."""
    others = snapshot.writers_since(pod_hash)
    last = ", ".join(filter(None, (others[-1].manager, others[-1].at))) if others else ""
    return f"somebody else (last {last})" if last else "somebody else"


def _why_weight_stays(snapshot: RolloutSnapshot, step: CanaryStep) -> str:
    """The controller moves no traffic while the stable revision lacks the pods for its own share."""
    missing = why_not_available(snapshot, snapshot.stable_hash, 100 - step.weight_percent)
    return f": of the stable revision, {missing}, and until then no traffic is moved" if missing else ""


def _pause_of(snapshot: RolloutSnapshot, step: CanaryStep) -> object:
    return snapshot.steps[step.pause_index] if step.pause_index < len(snapshot.steps) else None


def _holds(snapshot: RolloutSnapshot, condition: str) -> bool:
    return snapshot.conditions.get(condition, UNKNOWN).status == "True"


def _progressing(snapshot: RolloutSnapshot) -> str:
    return snapshot.conditions.get("Progressing", UNKNOWN).reason


def _say(snapshot: RolloutSnapshot) -> str:
    return (
        f"{snapshot.phase or 'without a phase'} ({snapshot.message})" if snapshot.message else snapshot.phase or "new"
    )


def _first(*reasons: tuple[bool, str]) -> str | None:
    return next((sentence for holds, sentence in reasons if holds), None)
