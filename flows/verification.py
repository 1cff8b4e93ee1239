"""The guide's verify-production-deployment.sh, which is run after a release and on a schedule."""

from prefect import flow

from blocks.settings import load_environment
from tasks.checks import check_address, check_rollout, check_stacks, check_topics, conclude
from tasks.endings import ending_by_name


@flow(name="verify", flow_run_name="verify {environment}")
@ending_by_name
def verify(environment: str = "production") -> str:
    """Guide, "Automated Deployment Verification": every check is made, whatever the others say."""
    settings = load_environment(environment)
    checks = [
        check_stacks.submit(settings),
        check_topics.submit(settings),
        check_rollout.submit(settings),
        check_address.submit(settings, "backend", f"{settings.application.api_url}/actuator/health"),
    ]
    return conclude(settings, [check.result() for check in checks])
