"""The guide's "AWS Infrastructure Deployment"."""

from prefect import flow

from blocks.settings import load_context
from delivery.release import Release
from tasks.stacks.deploy import conclude_deployments, deploy_stack, load_assembly


@flow(name="deploy-infrastructure", flow_run_name="deploy infrastructure of release {release.number}")
def deploy_infrastructure(release: Release) -> None:
    """Deploy each stack after the stacks that it depends on, independent stacks in parallel, and wait for all."""
    context = load_context(release)
    deployments = {}
    for stack in load_assembly(context.environment):
        needed = [deployments[stack_id] for stack_id in stack.depends_on]
        deployments[stack.id] = deploy_stack.submit(context, stack, return_state=False, wait_for=needed)
    conclude_deployments(deployments)
