"""The guide's "Rollback Strategy": the compensation of a failed release, and the manual rollback."""

from prefect import flow

from blocks.settings import load_context, load_environment
from delivery.release import Release
from tasks.rollback.notifications import notify_manual_rollback, notifying_failure
from tasks.rollback.outcomes import end_with_outcome, run_subflow
from tasks.rollback.revisions import choose_revision, confirm_health, confirm_revision, confirm_rollback
from tasks.rollback.rollback import restore_revision, roll_back_application
from tasks.state.lock import lock_environment


@flow(name="compensate", flow_run_name="roll back release {release.number}")
def compensate(release: Release) -> str:
    """Return all traffic of a failed release to the revision that had it before; the sentence that says so."""
    context = load_context(release)
    return confirm_rollback(context.environment, roll_back_application(context))


def roll_back_release(release: Release) -> str | BaseException:
    """The sentence of the compensation, or the error that it failed with."""
    return run_subflow(compensate, release, "The rollback")


@flow(name="rollback", flow_run_name="roll back {environment}")
@end_with_outcome
def rollback(
    environment: str = "production",
    revision: int | None = None,
    unverified: bool = False,
    reason: str = "",
    wait: bool = False,
) -> str:
    """Guide, "Manual Rollback Procedure": all traffic to an earlier revision, then a health check.

    revision: the number of a revision that served all traffic before. Any other is refused, with a list of those.
    unverified: allow a revision that no record shows to have been promoted. wait: for a release in progress to end.
    """
    settings = load_environment(environment)
    chosen = choose_revision(settings, revision, unverified=unverified)
    with lock_environment(settings, chosen.replica_set.artifact_digest, None, reason, wait=wait) as context:
        target = confirm_revision(settings, chosen, unverified=unverified)
        with notifying_failure(context):
            sentence = restore_revision(context, target)
            return notify_manual_rollback(context, confirm_health(settings, sentence))
