"""A canary ended: its weight is 0 at the listener rules, then the stable template is back in the Rollout."""

from delivery.errors import NotApplied
from delivery.journal.step_names import ABORT
from delivery.release import Release
from delivery.rollout.conditions import why_not_aborted
from delivery.rollout.snapshot import RolloutSnapshot
from tasks.rollout.describe import describe_before
from tasks.rollout.live import LiveRollout
from tasks.rollout.template import restore_template
from tasks.runs.log import progress
from tasks.state.journal import effect


def abort_rollout(live: LiveRollout, release: Release) -> None:
    """The stable revision has all traffic, and its template is the Rollout's again.

    Left in the Rollout, the aborted template would keep it degraded, and any retry would start it again.
    """
    restore_template(live, release, end_canary(live, release).stable_hash)


def end_canary(live: LiveRollout, release: Release) -> RolloutSnapshot:
    """No canary has traffic, as far as the controller can see to it. The reading before that."""
    snapshot = live.read()
    if why_not_aborted(snapshot) is not None:
        with effect(live.environment, release, ABORT, describe_before(snapshot)) as done:
            ask_for_abort(live, release)
            done.read_back = describe_before(live.read())
    return snapshot


def ask_for_abort(live: LiveRollout, release: Release) -> None:
    """Abort and wait for the traffic to go back. A controller that cannot act on it is gone past: see the next step."""
    deadline = live.environment.canary.abort_deadline
    live.patch_status(release, {"abort": True}, why_not_abortable)
    try:
        live.wait_until(live.read, why_not_aborted, "the canary to be aborted", deadline=deadline)
        live.wait_for_weight(0)
    except NotApplied as error:
        progress(f"{error} The template is put back without waiting for it any longer.")


def why_not_abortable(snapshot: RolloutSnapshot) -> str | None:
    return None if snapshot.is_unfinished else "no canary is under way"
