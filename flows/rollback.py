"""The guide's "Rollback Strategy": a failed release's way back, and the way back by hand."""

from prefect import flow

from blocks.settings import load_environment
from delivery.release import Release
from tasks.rollback.outcomes import end_of, ending_by_name, rolled_back, telling_a_failure
from tasks.rollback.revisions import choose_revision, confirm_health, confirm_revision, confirm_way_back
from tasks.rollback.rollback import put_back_revision, take_back_application
from tasks.state.lock import hold_environment


@flow(name="take-back", flow_run_name="take release {release.number} back")
def take_back(release: Release) -> str:
    """The way back of a failed release: all traffic where the release found it, as the returned sentence says."""
    environment = load_environment(release.environment)
    return confirm_way_back(environment, take_back_application(environment, release))


def go_back(release: Release) -> str | BaseException:
    """What the way back says, or fails by."""
    return end_of(take_back, release, "The way back")


@flow(name="roll-back", flow_run_name="roll back {environment}")
@ending_by_name
def roll_back(
    environment: str = "production",
    revision: int | None = None,
    unjudged: bool = False,
    reason: str = "",
    wait: bool = False,
) -> str:
    """Guide, "Manual Rollback Procedure": all traffic to an earlier revision, then a look at the health.

    revision: its number, of one that served before; any other ends the run Refused, with the list of all that did.
    unjudged: one of which no journal tells is taken, too. wait: for a release that is under way, which is not stopped.
    """
    settings = load_environment(environment)
    chosen = choose_revision(settings, revision, unjudged=unjudged)
    with hold_environment(settings, chosen.found.artifact_digest, None, reason, wait=wait) as release:
        target = confirm_revision(settings, chosen, unjudged=unjudged)
        with telling_a_failure(settings, release):
            sentence = put_back_revision(settings, release, target)
            return rolled_back(settings, release, confirm_health(settings, sentence))
