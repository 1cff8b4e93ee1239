"""The guide's verify-production-deployment.sh, which runs after a release and on a schedule."""

from prefect import flow

from blocks.settings import load_environment
from delivery.environment import Environment
from delivery.release import Release
from tasks.checks import (
    check_addons,
    check_address,
    check_rollout,
    check_stacks,
    check_topics,
    conclude,
    require_unlocked,
)
from tasks.rollback.outcomes import end_with_outcome, run_subflow


@flow(name="verify", flow_run_name="verify {environment}")
@end_with_outcome
def verify(environment: str = "production") -> str:
    """Guide, "Automated Deployment Verification": run every check, even if another one fails.

    Of the guide's checks, those of the frontend, the analytics API, metrics and alarms do not exist yet.
    """
    settings = load_environment(environment)
    require_unlocked(settings)
    return check_everything(settings)


@flow(name="verify-release", flow_run_name="verify release {release.number}")
def verify_release(release: Release) -> str:
    """The post-release verification: the same checks, by the release that has the lock, after its promotion."""
    return check_everything(load_environment(release.environment))


def run_verification(release: Release) -> str | BaseException:
    """The sentence of the post-release verification, or the error that it failed with."""
    return run_subflow(verify_release, release, "The post-release verification")


def check_everything(environment: Environment) -> str:
    checks = [
        check_stacks.submit(environment),
        check_addons.submit(environment),
        check_topics.submit(environment),
        check_rollout.submit(environment),
        check_address.submit(environment, "backend", environment.application.health_url),
    ]
    return conclude(environment, [check.result() for check in checks])
