"""A plan where the operator can see it: the log, an artifact of the run."""

from prefect import get_run_logger, task
from prefect.artifacts import create_markdown_artifact

from delivery.errors import Refused
from delivery.plan import ReleasePlan, describe_plan


@task(task_run_name="show plan {plan.hash}")
def show_plan(plan: ReleasePlan) -> str:
    """The plan as text, which also stands in the log and in the run's artifact `plan-<environment>`."""
    text = describe_plan(plan)
    get_run_logger().info(text)
    create_markdown_artifact(f"```text\n{text}\n```", key=f"plan-{plan.environment}", description=f"Plan {plan.hash}")
    return text


@task(task_run_name="confirm plan {shown.hash}")
def confirm_plan(shown: ReleasePlan, now: ReleasePlan) -> None:
    """Nothing moved between the plan that was shown and the hold that was taken."""
    if now.hash != shown.hash:
        raise Refused(
            f"The plan shown was {shown.hash}; with the hold taken it is {now.hash}, because something changed in "
            f"{now.environment} meanwhile. It is now:\n{describe_plan(now)}\nStart the release again."
        )
