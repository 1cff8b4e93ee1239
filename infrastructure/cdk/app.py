"""The infrastructure of one environment as six stacks; `make assembly` synthesises it."""

import sys

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks
from stacks.eks import EKSStack
from stacks.msk import MSKStack
from stacks.network import NetworkStack
from stacks.observability import ObservabilityStack
from stacks.parameters import ContextError, read_parameters
from stacks.rds import RDSStack
from stacks.security import SecurityStack


def build() -> cdk.App:
    """The app with its stacks in their order; brokers, database and cluster wait for security alone."""
    app = cdk.App(analytics_reporting=False)
    parameters = read_parameters(app.node.try_get_context)
    network = NetworkStack(app, "NetworkStack", parameters)
    security = SecurityStack(app, "SecurityStack", parameters)
    security.add_stack_dependency(network)
    watched = [stack(app, stack.__name__, parameters) for stack in (MSKStack, RDSStack, EKSStack)]
    observability = ObservabilityStack(app, "ObservabilityStack", parameters)
    for stack in watched:
        stack.add_stack_dependency(security)
        observability.add_stack_dependency(stack)
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    return app


if __name__ == "__main__":
    try:
        build().synth()
    except ContextError as error:
        sys.exit(str(error))
