"""Recovery from a release whose process died during its canary. The guide does not cover this case."""

from prefect import flow

from blocks.settings import load_environment
from tasks.rollback.notifications import notifying_failure
from tasks.rollback.outcomes import end_with_outcome
from tasks.rollback.recovery import find_orphaned_canary, nothing_to_recover, notify_recovery, roll_back_orphaned
from tasks.rollback.revisions import confirm_rollback
from tasks.state.lock import lock_environment


@flow(name="recover", flow_run_name="recover {environment}")
@end_with_outcome
def recover(environment: str = "production", reason: str = "", wait: bool = True):
    """Roll back the canary of a release that died or lost its lock. If there is none, nothing is changed.

    wait: for the lock of a process that died just now and whose lease has not expired yet.
    """
    settings = load_environment(environment)
    candidate = find_orphaned_canary(settings, wait=wait)
    orphaned, digest = candidate.orphaned, candidate.artifact_digest
    if orphaned is None:
        return nothing_to_recover(candidate)
    with (
        lock_environment(settings, digest, None, reason, wait=False, recovers=orphaned.number) as context,
        notifying_failure(context),
    ):
        sentence = roll_back_orphaned(context, orphaned)
        return notify_recovery(context, orphaned, confirm_rollback(settings, sentence))
