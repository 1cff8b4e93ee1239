"""A canary ended: its weight is 0 at the listener rules, then the stable template is back in the Rollout."""

from delivery.errors import NotApplied
from delivery.journal.step_names import ABORT
from delivery.release import Release
from delivery.rollout.conditions import why_not_aborted
from delivery.rollout.snapshot import Reading
from tasks.rollout.describe import describe_before
from tasks.rollout.live import LiveSystem
from tasks.rollout.template import put_back_template
from tasks.runs.log import progress
from tasks.state.journal import effect


def abort_rollout(live: LiveSystem, release: Release) -> None:
    """The stable revision has all traffic, and its template is the Rollout's again.

    Left in the Rollout, the aborted template would keep it degraded, and any retry would start it again.
    """
    put_back_template(live, release, end_canary(live, release).stable_hash)


def end_canary(live: LiveSystem, release: Release) -> Reading:
    """No canary has traffic, as far as the controller can see to it. The reading before that."""
    reading = live.read()
    if why_not_aborted(reading) is not None:
        with effect(live.environment, release, ABORT, describe_before(reading)) as done:
            ask_for_abort(live, release)
            done.read_back = describe_before(live.read())
    return reading


def ask_for_abort(live: LiveSystem, release: Release) -> None:
    """Abort and wait for the traffic to go back. A controller that cannot act on it is gone past: see the next step."""
    deadline = live.environment.canary.abort_deadline
    live.patch_status(release, {"abort": True}, why_not_abortable)
    try:
        live.wait_until(live.read, why_not_aborted, "the canary to be aborted", deadline=deadline)
        live.confirm_share(0)
    except NotApplied as error:
        progress(f"{error} The template is put back without waiting for it any longer.")


def why_not_abortable(reading: Reading) -> str | None:
    return None if reading.is_unfinished else "no canary is under way"
