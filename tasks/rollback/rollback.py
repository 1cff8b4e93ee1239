"""The way back of a Rollout: where a failed release found it, or to the revision that an operator chose."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from prefect import task

from delivery.environment import Environment
from delivery.errors import DeliveryError, LockLost, NotApplied, RollbackFailed, StopRequested, Unavailable
from delivery.release import Release
from delivery.rollback.compensation import join_sentences
from delivery.rollback.history import rollout_at_start
from delivery.rollback.revisions import Target, describe_kept_since, describe_number
from delivery.rollout.conditions import why_not_done
from delivery.rollout.manifests import HASH_LABEL
from tasks.rollout.abort import abort_rollout, end_canary
from tasks.rollout.describe import describe_rest, describe_share, describe_traffic_state
from tasks.rollout.live import LiveRollout, connect_rollout, read_objects, selector_of
from tasks.rollout.template import restore_template
from tasks.runs.waiting import ASKED_AGAIN
from tasks.state.journal import effect, read_journal

# Longer than anything else is asked again: nobody else brings the traffic back.
WAY_BACK = ASKED_AGAIN | {"retries": 12, "retry_delay_seconds": [2, 4, 8, 16, 30]}


@task(**WAY_BACK, task_run_name="take the application back")
def roll_back_application(environment: Environment, release: Release) -> str:
    """Bring the Rollout back to where this release found it, by the journal; return the sentence that says so.

    Empty where the release did not touch it. Raises RollbackFailed where the way back did not arrive, StopRequested
    where somebody asked for that, both with where the traffic is.
    """
    # The journal first: a release that failed before there was a cluster has nothing to take back, and says why itself.
    found = read_state_at_start(environment, release)
    if found is None:
        return ""
    live = connect_rollout(environment)
    with reporting_traffic(live):
        return restore_start(live, release, found)


@task(**WAY_BACK, task_run_name="put revision {target.number} back")
def restore_revision(environment: Environment, release: Release, target: Target) -> str:
    """Give all traffic to an earlier revision, whatever is under way; return the sentence that says so.

    Raises as roll_back_application does.
    """
    live = connect_rollout(environment)
    with reporting_traffic(live):
        sentence = restore_revision_by_hash(live, release, target.found.hash)
        return join_sentences([sentence, describe_number(target, live.read()), describe_kept_since(target)])


@contextmanager
def reporting_traffic(live: LiveRollout) -> Iterator[None]:
    """Around a way back: what ends it says where it left the traffic. What may be answered next time stays that."""
    try:
        yield
    except StopRequested as stop:
        raise StopRequested(f"{stop} {describe_traffic_state(live)}") from stop
    except LockLost as lost:
        raise LockLost(f"{lost} {describe_share(live)}") from lost
    except Unavailable as error:
        raise Unavailable(f"{error} {describe_rest(live)}") from error
    except DeliveryError as error:
        raise RollbackFailed(f"{error} {describe_rest(live)}") from error


def restore_start(live: LiveRollout, release: Release, found: dict[str, Any]) -> str:
    """found: the Rollout as the release found it. One that had no stable revision yet may be serving all the same."""
    if not found["exists"]:
        return uninstall(live, release)
    if not found["stable_hash"]:
        raise NotApplied(
            f"Rollout {live.rollout_spec.rollout} had no stable revision to go back to when the release began."
        )
    return restore_revision_by_hash(live, release, found["stable_hash"])


def restore_revision_by_hash(live: LiveRollout, release: Release, pod_hash: str) -> str:
    """All traffic on this revision, read back at the listener rules."""
    abort_unrelated_canary(live, release, pod_hash)
    if why_not_done(live.read(), pod_hash) is not None:
        restore_template(live, release, pod_hash)
    live.wait_for_weight(0)
    serving = live.read().stable
    # A revision's number moves when it is used again; its digest does not.
    named = f"{serving.revision}, {serving.artifact_digest or serving.image}," if serving else pod_hash
    return f"Revision {named} serves all traffic, read back from the load balancer."


def abort_unrelated_canary(live: LiveRollout, release: Release, pod_hash: str) -> None:
    """Nothing but this revision is on its way.

    Only a way to the stable revision waits for that one: where another was asked for, it may be what is broken.
    """
    snapshot = live.read()
    is_on_its_way = snapshot.current_hash == pod_hash and not snapshot.is_abort_asked
    if not snapshot.is_unfinished or is_on_its_way:
        return
    if pod_hash in (snapshot.stable_hash, snapshot.current_hash):
        abort_rollout(live, release)
    else:
        end_canary(live, release)


def uninstall(live: LiveRollout, release: Release) -> str:
    """There was no revision before this release: without the Rollout its pods are gone again."""
    name, pods_of_it = live.rollout_spec.rollout, select_pods(live.environment)
    with effect(live.environment, release, live.step, {"exists": live.find() is not None, "stable_hash": ""}) as done:
        live.cluster.delete("Rollout", name, live.rollout_spec.namespace)
        live.wait_until(
            lambda: live.cluster.list("Pod", live.rollout_spec.namespace, pods_of_it),
            lambda pods: f"{len(pods)} pods are left" if pods else None,
            "the pods to end",
            deadline=live.environment.canary.ready_deadline,
        )
        done.read_back = {"exists": False}
    return f"There was no revision before: Rollout {name} and its pods were taken away again."


def select_pods(environment: Environment) -> str:
    """The Rollout's pods by its manifest, which tells them once it is gone; none of another Rollout's."""
    (rollout,) = (found for found in read_objects(environment) if found["kind"] == "Rollout")
    return f"{selector_of(rollout)},{HASH_LABEL}"


def read_state_at_start(environment: Environment, release: Release) -> dict[str, Any] | None:
    """The Rollout as the release's first intent on it found it; None where the release never got that far."""
    return rollout_at_start(read_journal(environment, release.number))
