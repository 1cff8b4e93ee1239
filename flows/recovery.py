"""What the guide has nobody for: a release that dies in its canary, at night."""

from prefect import flow

from blocks.settings import load_environment
from tasks.rollback.outcomes import ending_by_name, notifying_failure
from tasks.rollback.recovery import find_orphaned_canary, nothing_to_recover, recovered, roll_back_orphaned
from tasks.rollback.revisions import confirm_rollback
from tasks.state.lock import lock_environment


@flow(name="recover", flow_run_name="recover {environment}")
@ending_by_name
def recover(environment: str = "production", reason: str = "", wait: bool = True):
    """Take the canary back that a release left which died or lost its hold; without one, nothing is touched.

    wait: for a hold that counts still, of a process that died just now.
    """
    settings = load_environment(environment)
    remains = find_orphaned_canary(settings, wait=wait)
    dead = remains.orphaned
    if dead is None:
        return nothing_to_recover(remains)
    with (
        lock_environment(settings, remains.artifact_digest, None, reason, wait=False, recovers=dead.number) as release,
        notifying_failure(settings, release),
    ):
        sentence = roll_back_orphaned(settings, release, dead)
        return recovered(settings, release, dead, confirm_rollback(settings, sentence))
