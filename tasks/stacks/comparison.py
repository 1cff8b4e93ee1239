"""The comparison of the deployed stacks with the cloud assembly. It only reads."""

from clients.assembly import read_assembly
from clients.aws.cloudformation import CloudFormation, connect_cloudformation
from clients.aws.parameters import read_parameters
from delivery.check import Check
from delivery.environment import Environment
from delivery.stacks.assembly import StackSpec
from delivery.stacks.check import DeployedStack, judge_stacks, stored_names


def compare_stacks(environment: Environment) -> Check:
    """Whether each stack matches the cloud assembly. Nothing is created, not even a change set."""
    assembly = read_assembly(environment.stacks.assembly)
    cloudformation = connect_cloudformation(environment)
    deployed = {stack.id: read_deployed(cloudformation, stack) for stack in assembly}
    return judge_stacks(assembly, deployed, read_parameters(stored_names(assembly), environment.aws.region))


def read_deployed(cloudformation: CloudFormation, stack: StackSpec) -> DeployedStack | None:
    """None if the stack does not exist, or if only a change set for its creation exists."""
    state = cloudformation.read_stack(stack.name)
    if state is None or state.status == "REVIEW_IN_PROGRESS":
        return None
    return DeployedStack(state=state, template=cloudformation.read_template(state.arn))
