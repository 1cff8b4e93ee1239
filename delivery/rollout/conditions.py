"""Conditions of a Rollout. Each `why_` function returns a reason that continues a sentence, or None.

The status is stale after every write, so nothing is concluded until the controller has observed the specification.
"""

import math
from datetime import datetime

from delivery.rollout.manifests import CanaryStep
from delivery.rollout.snapshot import Condition, RolloutSnapshot

UNOBSERVED = "the controller has not observed the specification yet"
# The field manager with which a HorizontalPodAutoscaler sets spec.replicas.
AUTOSCALER = "kube-controller-manager"
# The beginning of the controller's message when it aborts because of an analysis.
ANALYSIS = "Background analysis phase"
UNKNOWN = Condition("Unknown")


def why_not_ready_to_start(snapshot: RolloutSnapshot) -> str | None:
    """A canary can start if one revision has all traffic, and the Rollout is neither progressing nor paused."""
    return _first_reason(
        (not snapshot.is_observed, UNOBSERVED),
        (snapshot.is_paused_manually, "it is paused manually (spec.paused)"),
        (snapshot.is_abort_requested, "it is aborted"),
        (not snapshot.stable_hash, "it has no stable revision yet"),
        (snapshot.current_hash != snapshot.stable_hash, "a canary is under way"),
        (snapshot.phase != "Healthy", f"it is {_describe_phase(snapshot)}"),
        (not _is_healthy(snapshot), "its condition Healthy is not True: an older revision may still have pods"),
    )


def why_not_started(snapshot: RolloutSnapshot, stable_hash: str, image: str) -> str | None:
    """A canary is started if the controller has created another revision than the stable one, with this image."""
    current = snapshot.current
    return _first_reason(
        (not snapshot.is_observed, UNOBSERVED),
        (snapshot.current_hash == stable_hash, "the controller has not created a new revision"),
        (current is None, f"no ReplicaSet has the pod-template hash {snapshot.current_hash} yet"),
        (current is not None and current.image != image, f"its new revision has the image {current and current.image}"),
    )


def why_not_at_pause(snapshot: RolloutSnapshot, step: CanaryStep, canary_hash: str) -> str | None:
    """The canary is at a pause if its pods are available, its weight is set, and nothing else pauses the Rollout.

    Clearing any other pause would skip a canary step.
    """
    missing = why_not_available(snapshot, canary_hash, step.weight_percent)
    is_near = snapshot.step_index in (step.pause_index - 1, step.pause_index)
    reason = _first_reason(
        (not snapshot.is_observed, UNOBSERVED),
        (snapshot.current_hash != canary_hash, _describe_other_template(snapshot, canary_hash)),
        (snapshot.is_abort_requested, "it is aborted"),
        # The step before the pause ends when its pods are available, so missing pods explain more than the step index.
        (is_near and missing is not None, f"the canary has too few pods: {missing}"),
        (snapshot.step_index != step.pause_index, f"it is at step {snapshot.step_index}, not step {step.pause_index}"),
        (snapshot.phase != "Paused", f"it is {_describe_phase(snapshot)}"),
    )
    return reason or _why_other_pause(snapshot, step) or _why_weight_not_set(snapshot, step, canary_hash)


def _why_other_pause(snapshot: RolloutSnapshot, step: CanaryStep) -> str | None:
    """None if the pause of this canary step, and nothing else, pauses the Rollout."""
    return _first_reason(
        (snapshot.is_paused_manually, "it is paused manually (spec.paused)"),
        (not snapshot.is_paused_by_controller, "the controller has not set the pause"),
        (
            snapshot.pause_reasons != ("CanaryPauseStep",),
            f"its pause reasons are [{', '.join(snapshot.pause_reasons)}], not [CanaryPauseStep]",
        ),
        (step.pause_index >= len(snapshot.steps), "its steps differ from the plan"),
        (
            _step_at(snapshot, step.pause_index) != {"pause": {}},
            f"step {step.pause_index} is not a pause without a duration",
        ),
    )


def _why_weight_not_set(snapshot: RolloutSnapshot, step: CanaryStep, canary_hash: str) -> str | None:
    """None if the status has the weight of the step for this revision."""
    weights = snapshot.weights
    if weights is None:
        return "the controller has written no weights"
    if (weights.canary_weight_percent, weights.canary_hash) == (step.weight_percent, canary_hash):
        return None
    reason = _why_weight_is_unchanged(snapshot, step)
    return f"the weight in its status is {weights.canary_weight_percent} %, not {step.weight_percent} %{reason}"


def why_not_available(snapshot: RolloutSnapshot, pod_hash: str, weight_percent: int) -> str | None:
    """A revision needs pods in proportion to its weight, rounded up. The reason names each pod that is not ready."""
    replica_set = snapshot.replica_set(pod_hash)
    needed = math.ceil(weight_percent * snapshot.replicas / 100)
    available = replica_set.available if replica_set else 0
    if available >= needed:
        return None
    unready = snapshot.describe_unready_pods(pod_hash)
    return f"{available} of {needed} pods are available{f' ({unready})' if unready else ''}"


def why_not_promoted_past(snapshot: RolloutSnapshot, step: CanaryStep, canary_hash: str) -> str | None:
    """A canary is promoted past a pause if the controller has observed that the pause was cleared, and continued."""
    return _first_reason(
        (not snapshot.is_observed, UNOBSERVED),
        (snapshot.is_abort_requested, "it is aborted"),
        (snapshot.current_hash != canary_hash, _describe_other_template(snapshot, canary_hash)),
        ((snapshot.step_index or 0) <= step.pause_index, f"it is still at step {snapshot.step_index}"),
        (is_pause_being_cleared(snapshot), "the controller has not observed that the pause was cleared"),
    )


def why_not_done(snapshot: RolloutSnapshot, pod_hash: str) -> str | None:
    """A rollout is done if the revision has all traffic and all pods, and the weights name no other revision."""
    weights, replica_set = snapshot.weights, snapshot.replica_set(pod_hash)
    are_pods_missing = replica_set is None or replica_set.available < snapshot.replicas
    return _first_reason(
        (not snapshot.is_observed, UNOBSERVED),
        (snapshot.current_hash != pod_hash, _describe_other_template(snapshot, pod_hash)),
        (snapshot.stable_hash != pod_hash, f"its stable revision has the hash {snapshot.stable_hash or '(none)'}"),
        (snapshot.phase != "Healthy", f"it is {_describe_phase(snapshot)}"),
        (not _is_healthy(snapshot), "its condition Healthy is not True: an older revision still has pods"),
        (are_pods_missing, why_not_available(snapshot, pod_hash, 100) or ""),
        (weights is None, "the controller has written no weights"),
        (snapshot.canary_weight_percent != 0, f"the canary's weight is {snapshot.canary_weight_percent} %"),
        (weights is not None and weights.stable_hash != pod_hash, "the weights name another stable revision"),
    )


def why_not_aborted(snapshot: RolloutSnapshot) -> str | None:
    """A canary is aborted if the stable revision has all traffic and all pods. The template is still the canary's."""
    weights, stable = snapshot.weights, snapshot.stable
    progressing = _condition(snapshot, "Progressing")
    return _first_reason(
        (not snapshot.is_observed, UNOBSERVED),
        (not snapshot.is_abort_requested, "status.abort is not set"),
        (not snapshot.aborted_at, "the controller has not acted on the abort"),
        (progressing.reason != "RolloutAborted", "the reason of its condition Progressing is not RolloutAborted"),
        (weights is None or weights.canary_weight_percent != 0, "the canary's weight is not 0 %"),
        (stable is None or stable.available < snapshot.replicas, "the stable revision does not have all its pods"),
    )


def why_broken(snapshot: RolloutSnapshot, pod_hash: str) -> str | None:
    """Why it is pointless to wait for this revision. None if it may still become available."""
    invalid, failure = _condition(snapshot, "InvalidSpec"), _condition(snapshot, "ReplicaFailure")
    writer, is_aborted = _other_writer(snapshot, pod_hash), snapshot.is_abort_requested
    if not snapshot.is_observed:
        return None
    return _first_reason(
        (invalid.status == "True", f"the controller rejects its specification: {invalid.message}"),
        (snapshot.current_hash != pod_hash, f"{writer} changed it: {_describe_other_template(snapshot, pod_hash)}"),
        (is_aborted and ANALYSIS in snapshot.message, f"the analysis in the cluster aborted it: {snapshot.message}"),
        (is_aborted, f"{writer} aborted it: {snapshot.message}"),
        (snapshot.is_paused_manually, f"{writer} paused it manually (spec.paused)"),
        (failure.status == "True", f"its pods cannot be created: {failure.message}"),
        (
            _condition(snapshot, "Progressing").reason == "ProgressDeadlineExceeded",
            "its pods did not become available within progressDeadlineSeconds",
        ),
        ("InconclusiveAnalysisRun" in snapshot.pause_reasons, "the analysis in the cluster is inconclusive"),
    )


def why_moved(snapshot: RolloutSnapshot, step: CanaryStep, canary_hash: str, stable_hash: str) -> str | None:
    """What another client changed while this process waited at the pause. None if nothing was changed."""
    others, writer = snapshot.writers_since(canary_hash), _other_writer(snapshot, canary_hash)
    is_scaled = any(other.owns_replicas and other.manager != AUTOSCALER for other in others)
    return why_broken(snapshot, canary_hash) or _first_reason(
        (is_scaled, f"{writer} scaled it to {snapshot.replicas} pods"),
        (
            snapshot.stable_hash != stable_hash,
            f"the hash of its stable revision changed from {stable_hash} to {snapshot.stable_hash}",
        ),
        (snapshot.step_index != step.pause_index, f"{writer} moved it to step {snapshot.step_index}"),
        (snapshot.pause_reasons == (), f"{writer} cleared its pause"),
    )


def is_pause_being_cleared(snapshot: RolloutSnapshot) -> bool:
    """Whether a pause was cleared, and the controller has not observed it. The phase is still Paused."""
    return snapshot.is_paused_by_controller and not snapshot.pause_reasons


def is_waiting_for_controller(snapshot: RolloutSnapshot) -> bool:
    """Whether the controller has not acted on a change yet. If this lasts, the controller does not run."""
    is_abort_unobserved = snapshot.is_abort_requested and not snapshot.aborted_at
    return not snapshot.is_observed or is_abort_unobserved or is_pause_being_cleared(snapshot)


def is_in_rollback_window(snapshot: RolloutSnapshot, pod_hash: str) -> bool:
    """Whether the controller would give a revision all traffic at once.

    It does so if the revision is older than the stable one, and fewer revisions than `rollbackWindow` are between them.
    """
    created_at = {replica_set.hash: replica_set.created_at for replica_set in snapshot.replica_sets}
    if snapshot.stable_hash not in created_at or created_at[pod_hash] >= created_at[snapshot.stable_hash]:
        return False
    between = [at for at in created_at.values() if created_at[pod_hash] < at < created_at[snapshot.stable_hash]]
    return len(between) < snapshot.rollback_window


def _other_writer(snapshot: RolloutSnapshot, pod_hash: str) -> str:
    """The last writer of the Rollout since the revision was created. The cluster does not record who clears a pause."""
    others = snapshot.writers_since(pod_hash)
    if not others:
        return "another client"
    at = f", {datetime.fromisoformat(others[-1].at):%H:%M} UTC" if others[-1].at else ""
    return f"another client (field manager {others[-1].manager or 'unknown'}{at})"


def _describe_other_template(snapshot: RolloutSnapshot, pod_hash: str) -> str:
    return f"its pod-template hash is {snapshot.current_hash}, not {pod_hash}"


def _why_weight_is_unchanged(snapshot: RolloutSnapshot, step: CanaryStep) -> str:
    """The controller moves no traffic while the stable revision has too few pods for its own weight."""
    missing = why_not_available(snapshot, snapshot.stable_hash, 100 - step.weight_percent)
    if missing is None:
        return ""
    return f": the controller moves no traffic until the stable revision has enough pods; {missing}"


def _step_at(snapshot: RolloutSnapshot, index: int) -> object:
    return snapshot.steps[index] if index < len(snapshot.steps) else None


def _condition(snapshot: RolloutSnapshot, name: str) -> Condition:
    return snapshot.conditions.get(name, UNKNOWN)


def _is_healthy(snapshot: RolloutSnapshot) -> bool:
    return _condition(snapshot, "Healthy").status == "True"


def _describe_phase(snapshot: RolloutSnapshot) -> str:
    if not snapshot.message:
        return snapshot.phase or "new"
    return f"{snapshot.phase or 'without a phase'} ({snapshot.message})"


def _first_reason(*reasons: tuple[bool, str]) -> str | None:
    return next((reason for is_true, reason in reasons if is_true), None)
