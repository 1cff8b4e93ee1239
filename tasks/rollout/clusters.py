"""The way to an environment's cluster: by the stacks' output, or by the file that `[application] kubeconfig` names."""

from clients.aws.cloudformation import read_outputs
from clients.cluster import Cluster, connect_cluster
from delivery.environment import Environment
from delivery.stacks.outputs import StackOutputs

CLUSTER = "cluster_name"


def outputs_of_cluster(environment: Environment) -> tuple[str, ...]:
    """The outputs that lead to the cluster: none where a kubeconfig does."""
    return () if environment.application.kubeconfig is not None else (CLUSTER,)


def open_cluster(environment: Environment, outputs: StackOutputs | None = None) -> Cluster:
    """outputs: as they were read; None: they are read where they are needed. Raises NotFound without a cluster."""
    if not outputs_of_cluster(environment):
        return connect_cluster(environment, "")
    return connect_cluster(environment, (outputs or read_outputs(environment)).need(CLUSTER))


def find_cluster(environment: Environment) -> Cluster | None:
    """None where the stacks have not made it yet."""
    needed = outputs_of_cluster(environment)
    outputs = read_outputs(environment) if needed else None
    return None if outputs and outputs.missing(*needed) else open_cluster(environment, outputs)
