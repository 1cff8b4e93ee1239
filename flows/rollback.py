"""The guide's "Rollback Strategy": a failed release's way back, and the way back by hand."""

from prefect import flow

from blocks.settings import load_environment
from delivery.release import Release
from tasks.rollback.outcomes import end_of, ending_by_name, notifying_failure, rolled_back
from tasks.rollback.revisions import choose_revision, confirm_health, confirm_revision, confirm_rollback
from tasks.rollback.rollback import restore_revision, roll_back_application
from tasks.state.lock import lock_environment


@flow(name="compensate", flow_run_name="roll back release {release.number}")
def compensate(release: Release) -> str:
    """The way back of a failed release: all traffic where the release found it, as the returned sentence says."""
    environment = load_environment(release.environment)
    return confirm_rollback(environment, roll_back_application(environment, release))


def roll_back_release(release: Release) -> str | BaseException:
    """What the way back says, or fails by."""
    return end_of(compensate, release, "The rollback")


@flow(name="rollback", flow_run_name="roll back {environment}")
@ending_by_name
def rollback(
    environment: str = "production",
    revision: int | None = None,
    unverified: bool = False,
    reason: str = "",
    wait: bool = False,
) -> str:
    """Guide, "Manual Rollback Procedure": all traffic to an earlier revision, then a look at the health.

    revision: its number, of one that served before; any other ends the run Refused, with the list of all that did.
    unjudged: one of which no journal tells is taken, too. wait: for a release that is under way, which is not stopped.
    """
    settings = load_environment(environment)
    chosen = choose_revision(settings, revision, unverified=unverified)
    with lock_environment(settings, chosen.found.artifact_digest, None, reason, wait=wait) as release:
        target = confirm_revision(settings, chosen, unverified=unverified)
        with notifying_failure(settings, release):
            sentence = restore_revision(settings, release, target)
            return rolled_back(settings, release, confirm_health(settings, sentence))
