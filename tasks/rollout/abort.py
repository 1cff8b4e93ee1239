"""Aborting a canary: its weight becomes 0 at the listener rules, then the stable template is restored."""

from delivery.context import ReleaseContext
from delivery.errors import NotApplied
from delivery.journal.step_names import ABORT
from delivery.rollout.conditions import why_not_aborted
from delivery.rollout.description import describe_for_journal
from delivery.rollout.snapshot import RolloutSnapshot
from tasks.rollout.live import LiveRollout
from tasks.rollout.template import restore_template
from tasks.runs.log import progress
from tasks.state.journal import effect


def abort_rollout(live: LiveRollout, context: ReleaseContext) -> None:
    """Give the stable revision all traffic, and restore its template in the Rollout.

    With the canary's template, the Rollout would stay Degraded, and a retry of the abort would start the canary again.
    """
    restore_template(live, context, end_canary(live, context).stable_hash)


def end_canary(live: LiveRollout, context: ReleaseContext) -> RolloutSnapshot:
    """Take all traffic from a canary, if the controller acts on it. Returns the snapshot from before."""
    snapshot = live.read()
    if why_not_aborted(snapshot) is not None:
        with effect(context, ABORT, describe_for_journal(snapshot)) as done:
            request_abort(live, context)
            done.read_back = describe_for_journal(live.read())
    return snapshot


def request_abort(live: LiveRollout, context: ReleaseContext) -> None:
    """Request the abort, and wait until the stable revision has all traffic.

    If the controller does not act on it, continue all the same: the stable template is restored next.
    """
    deadline = live.environment.canary.abort_deadline
    live.patch_status(context, {"abort": True}, why_not_abortable)
    try:
        live.wait_until(live.read, why_not_aborted, "the canary to be aborted", deadline=deadline)
        live.wait_for_weight(0)
    except NotApplied as error:
        progress(f"{error} The stable template is restored without waiting any longer.")


def why_not_abortable(snapshot: RolloutSnapshot) -> str | None:
    return None if snapshot.is_unfinished else "no canary is under way"
