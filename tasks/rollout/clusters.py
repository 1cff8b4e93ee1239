"""The connection to the cluster: of the stacks' output, or of the file that `[application] kubeconfig` names."""

from clients.aws.cloudformation import read_outputs
from clients.cluster import Cluster, connect_cluster
from delivery.environment import Environment
from delivery.stacks.outputs import StackOutputs

CLUSTER = "cluster_name"


def outputs_of_cluster(environment: Environment) -> tuple[str, ...]:
    """The stack outputs that name the cluster. None of them is needed with a kubeconfig."""
    return () if environment.application.kubeconfig is not None else (CLUSTER,)


def open_cluster(environment: Environment, outputs: StackOutputs | None = None) -> Cluster:
    """outputs: if they were read already. Raises NotFound if the stacks have not created the cluster."""
    if not outputs_of_cluster(environment):
        return connect_cluster(environment, "")
    return connect_cluster(environment, (outputs or read_outputs(environment)).need(CLUSTER))


def find_cluster(environment: Environment) -> Cluster | None:
    """None if the stacks have not created the cluster yet."""
    needed = outputs_of_cluster(environment)
    outputs = read_outputs(environment) if needed else None
    return None if outputs and outputs.missing(*needed) else open_cluster(environment, outputs)
