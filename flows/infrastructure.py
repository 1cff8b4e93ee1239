"""The guide's "AWS Infrastructure Deployment"."""

from prefect import flow

from blocks.settings import load_context
from delivery.release import Release
from tasks.stacks.deploy import deploy_stack, load_assembly, raise_for_failed_stacks


@flow(name="deploy-infrastructure", flow_run_name="deploy infrastructure of release {release.number}")
def deploy_infrastructure(release: Release) -> None:
    """Deploy each stack after the stacks that it depends on, independent stacks in parallel, and wait for all.

    Network and Security, then MSK, RDS and EKS side by side, then Observability: the cloud assembly has the order.
    """
    context = load_context(release)
    stack_runs = {}
    for stack in load_assembly(context.environment):
        needed = [stack_runs[stack_id] for stack_id in stack.depends_on]
        stack_runs[stack.id] = deploy_stack.submit(context, stack, return_state=False, wait_for=needed)
    raise_for_failed_stacks(stack_runs)
