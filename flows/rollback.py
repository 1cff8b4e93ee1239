"""The guide's "Rollback Strategy": the compensation of a failed release, and the manual rollback."""

from prefect import flow

from blocks.settings import load_environment
from delivery.release import Release
from tasks.rollback.outcomes import end_of, ending_by_name, notifying_failure, rolled_back
from tasks.rollback.revisions import choose_revision, confirm_health, confirm_revision, confirm_rollback
from tasks.rollback.rollback import restore_revision, roll_back_application
from tasks.state.lock import lock_environment


@flow(name="compensate", flow_run_name="roll back release {release.number}")
def compensate(release: Release) -> str:
    """Return all traffic of a failed release to the revision that had it before; the sentence that says so."""
    environment = load_environment(release.environment)
    return confirm_rollback(environment, roll_back_application(environment, release))


def roll_back_release(release: Release) -> str | BaseException:
    """The sentence of the compensation, or the error that it failed with."""
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
    """Guide, "Manual Rollback Procedure": all traffic to an earlier revision, then a health check.

    revision: its number, of one that served before; any other ends the run Refused, with the list of all that did.
    unverified: also one of which no record shows that it served. wait: for a running release, which is not stopped.
    """
    settings = load_environment(environment)
    chosen = choose_revision(settings, revision, unverified=unverified)
    with lock_environment(settings, chosen.found.artifact_digest, None, reason, wait=wait) as release:
        target = confirm_revision(settings, chosen, unverified=unverified)
        with notifying_failure(settings, release):
            sentence = restore_revision(settings, release, target)
            return rolled_back(settings, release, confirm_health(settings, sentence))
