"""The way back of a Rollout: its canary aborted, its template put back, its traffic read back."""

from typing import Any

from prefect import task

from delivery.application import clean_template
from delivery.environment import Environment
from delivery.errors import (
    Conflict,
    DeliveryError,
    NotApplied,
    NotFound,
    NotPromoted,
    Rejected,
    RollBackFailed,
    RolloutBroken,
    StopRequested,
)
from delivery.manifests import HASH_LABEL, read_steps
from delivery.reading import Reading, ReplicaSet
from delivery.release import Event, Release
from delivery.rollout import why_not_aborted, why_not_at_pause, why_not_done
from delivery.weights import describe_witness, why_not_weight
from tasks.journal import effect, read_journal
from tasks.progress import progress
from tasks.systems import WRITES, LiveSystem, connect_system, read_system, rollout_step
from tasks.traffic import end_pause
from tasks.waiting import ASKED_AGAIN

ABORT = "Canary/abort"
# Answers that will not change: the way back ends here, and a person is needed.
# Longer than anything else is asked again: nobody else brings the traffic back.
WAY_BACK = ASKED_AGAIN | {"retries": 12, "retry_delay_seconds": [2, 4, 8, 16, 30]}
GAVE_UP = (NotApplied, NotFound, NotPromoted, Conflict, Rejected, RolloutBroken)


@task(**WAY_BACK, task_run_name="take the application back")
def take_back_application(environment: Environment, release: Release) -> str:
    """Bring the Rollout back to where this release found it, by the journal; return the sentence that says so.

    Empty where the release did not touch it. Raises RollBackFailed where the way back did not arrive,
    StopRequested with where the traffic stays where somebody asked for that.
    """
    # The journal first: a release that failed before there was a cluster has nothing to take back, and says why itself.
    found = found_at_start(environment, release)
    if found is None:
        return ""
    live = connect_system(environment)
    try:
        return return_to_start(live, release, found)
    except StopRequested as stop:
        raise StopRequested(f"{stop} {describe_stand(live)}") from stop
    except GAVE_UP as error:
        raise RollBackFailed(f"{error} {describe_rest(live)}") from error


@task(**ASKED_AGAIN, task_run_name="put revision {target.revision} back")
def put_back_revision(environment: Environment, release: Release, target: ReplicaSet) -> str:
    """Give all traffic to an earlier revision, whatever is under way; return the sentence that says so."""
    live = connect_system(environment)
    try:
        return return_to(live, release, target.hash)
    except GAVE_UP as error:
        raise RollBackFailed(f"{error} {describe_rest(live)}") from error


def return_to_start(live: LiveSystem, release: Release, found: dict[str, Any]) -> str:
    """found: the Rollout as the release found it. One that had no stable revision yet may be serving all the same."""
    if not found["exists"]:
        return uninstall(live, release)
    if not found["stable_hash"]:
        raise NotApplied(f"Rollout {live.system.rollout} had no stable revision to go back to when the release began.")
    return return_to(live, release, found["stable_hash"])


def return_to(live: LiveSystem, release: Release, pod_hash: str) -> str:
    """All traffic on this revision, read back at the listener rules."""
    if live.read().is_unfinished:
        abort_rollout(live, release)
    if why_not_done(live.read(), pod_hash) is not None:
        put_back_template(live, release, pod_hash)
    live.confirm_share(0)
    serving = live.read().stable
    # A revision's number moves when it is used again; its digest does not.
    named = f"{serving.revision}, {serving.artifact_digest or serving.image}," if serving else pod_hash
    return f"Revision {named} serves all traffic, read back from the load balancer."


def abort_rollout(live: LiveSystem, release: Release) -> None:
    """End a canary: its weight is 0 at the listener rules, then its template gives way to the stable one.

    Left in the Rollout, the aborted template would keep it degraded, and any retry would start it again.
    """
    reading = live.read()
    if why_not_aborted(reading) is not None:
        with effect(live.environment, release, ABORT, describe_before(reading)) as done:
            ask_for_abort(live)
            done.read_back = describe_before(live.read())
    put_back_template(live, release, reading.stable_hash)


def ask_for_abort(live: LiveSystem) -> None:
    """Abort and wait for the traffic to go back. A controller that cannot act on it is gone past: see the next step."""
    deadline = live.environment.canary.abort_deadline
    live.patch_rollout({"status": {"abort": True}}, why_not_abortable, subresource="status")
    try:
        live.wait_until(live.read, why_not_aborted, "the canary to be aborted", deadline=deadline)
        live.confirm_share(0)
    except NotApplied as error:
        progress(f"{error} The stable template is put back without waiting for it any longer.")


def why_not_abortable(reading: Reading) -> str | None:
    return None if reading.is_unfinished else "no canary is under way"


def put_back_template(live: LiveSystem, release: Release, pod_hash: str) -> None:
    """The Rollout's template is the revision's again, and the revision has all traffic."""
    with effect(live.environment, release, live.step, describe_before(live.read())) as done:
        apply_template(live, pod_hash)
        live.wait_until(
            lambda: step_through(live, pod_hash),
            lambda reading: why_not_done(reading, pod_hash),
            f"revision {pod_hash} to serve all traffic",
            deadline=live.environment.canary.ready_deadline,
        )
        live.confirm_share(0)
        done.read_back = describe_before(live.read())


def apply_template(live: LiveSystem, pod_hash: str) -> None:
    """Apply the Rollout as it is, with the template of the revision.

    By server-side apply, as every release does it: a patch would leave fields behind that the next release, which does
    not own them, could not take away.
    """
    for _ in range(WRITES):
        target = live.read().replica_set(pod_hash)
        if target is None:
            raise NotFound(f"Revision {pod_hash} has no ReplicaSet any more.")
        try:
            live.cluster.apply(with_template(live.read_object("Rollout", live.system.rollout), target))
        except Conflict:
            continue
        return
    raise Conflict(f"Rollout {live.system.rollout} was written by others {WRITES} times in a row.")


def with_template(rollout: dict[str, Any], target: ReplicaSet) -> dict[str, Any]:
    """What to apply: the Rollout as it is, running, with the revision's template; only if nobody wrote it meanwhile."""
    metadata = {key: rollout["metadata"].get(key) for key in ("name", "namespace", "labels", "resourceVersion")}
    spec = {**rollout["spec"], "template": clean_template(target.template)}
    if "paused" in spec:
        spec["paused"] = False
    return {"apiVersion": rollout["apiVersion"], "kind": "Rollout", "metadata": metadata, "spec": spec}


def step_through(live: LiveSystem, pod_hash: str) -> Reading:
    """A reading on the way back. A revision older than the rollback window is given steps, which nobody judges here."""
    reading = live.look(pod_hash)
    for step in read_steps(reading.steps):
        if why_not_at_pause(reading, step, pod_hash) is None:
            progress(f"Revision {pod_hash} is older than the rollback window: past {step.weight_percent} % unjudged.")
            end_pause(live, pod_hash, step)
    return reading


def uninstall(live: LiveSystem, release: Release) -> str:
    """There was no revision before this release: without the Rollout its pods are gone again."""
    name = live.system.rollout
    with effect(live.environment, release, live.step, {"exists": live.find() is not None, "stable_hash": ""}) as done:
        live.cluster.delete("Rollout", name, live.system.namespace)
        live.wait_until(
            lambda: live.cluster.list("Pod", live.system.namespace, HASH_LABEL),
            lambda pods: f"{len(pods)} pods are left" if pods else None,
            "the pods to end",
            deadline=live.environment.canary.ready_deadline,
        )
        done.read_back = {"exists": False}
    return f"There was no revision before: Rollout {name} and its pods were taken away again."


def found_at_start(environment: Environment, release: Release) -> dict[str, Any] | None:
    """The Rollout as the release's first intent on it found it; None where the release never got that far."""
    journal, steps = read_journal(environment, release.number), (rollout_step(read_system(environment)), ABORT)
    touched = [record for record in journal if record.event is Event.INTENDED and record.step in steps]
    return touched[0].detail if touched else None


def describe_before(reading: Reading | None) -> dict[str, Any]:
    """For the journal: which revision has the traffic, and which one is on its way."""
    if reading is None:
        return {"exists": False, "stable_hash": ""}
    stable = reading.stable
    return {
        "exists": True,
        "stable_hash": reading.stable_hash,
        "stable_image": stable.image if stable else None,
        "stable_revision": stable.revision if stable else None,
        "current_hash": reading.current_hash,
        "step": reading.step_index,
    }


def describe_stand(live: LiveSystem) -> str:
    """Where the traffic stays that nobody moves any more, as read back, and the ways on from there."""
    reading = live.read()
    if not reading.is_unfinished:
        return "No canary is under way."
    share = reading.weights.canary_percent if reading.weights else 0
    differing = why_not_weight(live.call_witnesses(), share)
    seen = differing or f"{share} % of the traffic, read back from the load balancer"
    revision = f" --revision {reading.stable.revision}" if reading.stable else ""
    return (
        f"The canary stays at {seen}, and nobody promotes it. A release of the same digest goes on from there, one of "
        f"another digest aborts it first; slipway roll-back {live.environment.name}{revision} takes it back."
    )


def describe_rest(live: LiveSystem) -> str:
    """Where the traffic goes now, and what a person can do."""
    try:
        witnesses = ", ".join(describe_witness(witness) for witness in live.call_witnesses())
    except DeliveryError as error:
        witnesses = f"nobody can tell ({error})"
    name, namespace = live.system.rollout, live.system.namespace
    return (
        f"The new revision's share of the traffic: {witnesses}. By hand: kubectl argo rollouts get rollout {name} "
        f"-n {namespace}, then abort or undo it, and look at the listener rules."
    )
