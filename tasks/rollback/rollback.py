"""The rollback of a Rollout: to its state before a failed release, or to a revision that an operator chose."""

from collections.abc import Iterator
from contextlib import contextmanager

from prefect import task

from delivery.context import ReleaseContext
from delivery.environment import Environment
from delivery.errors import DeliveryError, LockLost, NotApplied, RollbackFailed, StopRequested, Unavailable
from delivery.journal.rollout_state import RolloutState
from delivery.rollback.compensation import join_sentences
from delivery.rollback.history import rollout_at_start
from delivery.rollback.revisions import Target, describe_kept_since, describe_number
from delivery.rollout.conditions import why_not_done
from delivery.rollout.manifests import HASH_LABEL
from tasks.rollout.abort import abort_rollout, end_canary
from tasks.rollout.describe import describe_current_weights, describe_traffic_and_advice, describe_traffic_state
from tasks.rollout.live import LiveRollout, connect_rollout, load_manifests
from tasks.rollout.observation import selector_of
from tasks.rollout.template import restore_template
from tasks.runs.waiting import RETRIED
from tasks.state.journal import effect, read_journal

# Options of a task that rolls back. It has more retries than other tasks, because no other process rolls back.
ROLLBACK_RETRIES = RETRIED | {"retries": 12, "retry_delay_seconds": [2, 4, 8, 16, 30]}


@task(**ROLLBACK_RETRIES, task_run_name="roll back the application")
def roll_back_application(context: ReleaseContext) -> str:
    """Restore the Rollout to the state in which this release found it, by its journal. Return a sentence about it.

    The sentence is empty if the release did not change the Rollout. Raises RollbackFailed, or StopRequested after a
    stop request; both say where the traffic is.
    """
    # The journal is read first: a release that failed before the cluster existed has nothing to roll back.
    at_start = read_state_at_start(context)
    if at_start is None:
        return ""
    live = connect_rollout(context.environment)
    with reporting_traffic(live):
        return restore_state_at_start(live, context, at_start)


@task(**ROLLBACK_RETRIES, task_run_name="restore revision {target.number}")
def restore_revision(context: ReleaseContext, target: Target) -> str:
    """Give all traffic to an earlier revision, also if a canary is in progress. Return a sentence about it.

    Raises the same errors as roll_back_application.
    """
    live = connect_rollout(context.environment)
    with reporting_traffic(live):
        sentence = restore_revision_by_hash(live, context, target.replica_set.hash)
        return join_sentences([sentence, describe_number(target, live.read()), describe_kept_since(target)])


@contextmanager
def reporting_traffic(live: LiveRollout) -> Iterator[None]:
    """Around a rollback: add to its error where the traffic is. Unavailable stays Unavailable, and is retried."""
    try:
        yield
    except StopRequested as stop:
        raise StopRequested(f"{stop} {describe_traffic_state(live)}") from stop
    except LockLost as lost:
        raise LockLost(f"{lost} {describe_current_weights(live)}") from lost
    except Unavailable as error:
        raise Unavailable(f"{error} {describe_traffic_and_advice(live)}") from error
    except DeliveryError as error:
        raise RollbackFailed(f"{error} {describe_traffic_and_advice(live)}") from error


def restore_state_at_start(live: LiveRollout, context: ReleaseContext, at_start: RolloutState) -> str:
    """at_start: the Rollout before this release. Without a stable revision, it may serve, and is not deleted."""
    if not at_start.exists:
        return delete_rollout(live, context)
    if not at_start.stable_hash:
        raise NotApplied(
            f"Rollout {live.rollout_spec.rollout} had no stable revision when the release started, so there is no "
            "revision to roll back to."
        )
    return restore_revision_by_hash(live, context, at_start.stable_hash)


def restore_revision_by_hash(live: LiveRollout, context: ReleaseContext, pod_hash: str) -> str:
    """Give all traffic to this revision, and confirm it at the listener rules."""
    abort_unrelated_canary(live, context, pod_hash)
    if why_not_done(live.read(), pod_hash) is not None:
        restore_template(live, context, pod_hash)
    live.wait_for_weight(0)
    serving = live.read().stable
    # The number of a revision changes when it is used again; its digest does not.
    revision = f"{serving.revision}, {serving.artifact_digest or serving.image}," if serving else pod_hash
    return f"Revision {revision} serves all traffic, confirmed at the load balancer."


def abort_unrelated_canary(live: LiveRollout, context: ReleaseContext, pod_hash: str) -> None:
    """Abort a canary in progress, unless it is of this revision.

    The stable revision must be restored only if it is the target: otherwise it may be the revision that is broken.
    """
    snapshot = live.read()
    is_of_revision = snapshot.current_hash == pod_hash and not snapshot.is_abort_requested
    if not snapshot.is_unfinished or is_of_revision:
        return
    if pod_hash in (snapshot.stable_hash, snapshot.current_hash):
        abort_rollout(live, context)
    else:
        end_canary(live, context)


def delete_rollout(live: LiveRollout, context: ReleaseContext) -> str:
    """Delete the Rollout, which did not exist before this release, and wait until its pods have ended."""
    name, selector = live.rollout_spec.rollout, select_pods(live.environment)
    with effect(context, live.journal_step, {"exists": live.find() is not None, "stable_hash": ""}) as done:
        live.cluster.delete("Rollout", name, live.rollout_spec.namespace)
        live.wait_until(
            lambda: live.cluster.list("Pod", live.rollout_spec.namespace, selector),
            lambda pods: f"{len(pods)} pods are left" if pods else None,
            "the pods to end",
            deadline=live.environment.canary.ready_deadline,
        )
        done.read_back = {"exists": False}
    return f"There was no revision before this release: Rollout {name} and its pods were deleted."


def select_pods(environment: Environment) -> str:
    """The label selector of the Rollout's pods, from its manifest: the Rollout itself may not exist any more."""
    (rollout,) = (found for found in load_manifests(environment) if found["kind"] == "Rollout")
    return f"{selector_of(rollout)},{HASH_LABEL}"


def read_state_at_start(context: ReleaseContext) -> RolloutState | None:
    """The Rollout before the release's first effect on it; None if the release had no such effect."""
    return rollout_at_start(read_journal(context.environment, context.release.number))
