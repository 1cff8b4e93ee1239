"""The guide's verify-production-deployment.sh, which is run after a release and on a schedule."""

from prefect import flow

from blocks.settings import load_environment
from delivery.environment import Environment
from delivery.release import Release
from tasks.checks import check_addons, check_address, check_rollout, check_stacks, check_topics, conclude, require_rest
from tasks.rollback.outcomes import end_of, ending_by_name, record_promotion


@flow(name="verify", flow_run_name="verify {environment}")
@ending_by_name
def verify(environment: str = "production") -> str:
    """Guide, "Automated Deployment Verification": every check is made, whatever the others say."""
    settings = load_environment(environment)
    require_rest(settings)
    return check_everything(settings)


@flow(name="verify-release", flow_run_name="look at the result of release {release.number}")
def verify_release(release: Release) -> str:
    """The same checks, by the release that holds the environment, once its revision has all traffic."""
    environment = load_environment(release.environment)
    record_promotion(environment, release)
    return check_everything(environment)


def look(release: Release) -> str | BaseException:
    """What the look at the result says, or fails by."""
    return end_of(verify_release, release, "The look at the result")


def check_everything(environment: Environment) -> str:
    checks = [
        check_stacks.submit(environment),
        check_addons.submit(environment),
        check_topics.submit(environment),
        check_rollout.submit(environment),
        check_address.submit(environment, "backend", environment.application.health_url),
    ]
    return conclude(environment, [check.result() for check in checks])
