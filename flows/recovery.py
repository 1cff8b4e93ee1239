"""What the guide has nobody for: a release that dies in its canary, at night."""

from prefect import flow

from blocks.settings import load_environment
from tasks.rollback.outcomes import ending_by_name, telling_a_failure
from tasks.rollback.recovery import left_alone, look_for_remains, recovered, take_back_abandoned
from tasks.rollback.revisions import confirm_way_back
from tasks.state.lock import hold_environment


@flow(name="recover", flow_run_name="recover {environment}")
@ending_by_name
def recover(environment: str = "production", reason: str = "", wait: bool = True):
    """Take the canary back that a release left which died or lost its hold; without one, nothing is touched.

    wait: for a hold that counts still, of a process that died just now.
    """
    settings = load_environment(environment)
    remains = look_for_remains(settings, wait=wait)
    dead = remains.abandoned
    if dead is None:
        return left_alone(remains)
    with (
        hold_environment(settings, remains.artifact_digest, None, reason, wait=False, recovers=dead.number) as release,
        telling_a_failure(settings, release),
    ):
        sentence = take_back_abandoned(settings, release, dead)
        return recovered(settings, release, dead, confirm_way_back(settings, sentence))
