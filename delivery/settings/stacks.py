"""The sections `[stacks]` and `[outputs]` of an environment's file."""

from delivery.fields import Duration, PositiveDuration, Section


class Stacks(Section):
    """The CloudFormation stacks, and how long a release waits for them."""

    assembly: str
    """Folder that contains the `manifest.json` of the cloud assembly, relative to the checkout."""

    execution_role: str | None = None
    """ARN of the IAM role with which CloudFormation changes resources. Without it, CloudFormation uses the permissions
    of the worker.
    """

    poll: PositiveDuration
    """Time between two reads while a release waits for a stack, a topic or an add-on."""

    deadline: Duration
    """How long a release waits for one operation on a stack, its own or one that an earlier release started. After
    this time the release fails, and CloudFormation continues with the operation.
    """


class Outputs(Section):
    """The stack outputs that a release reads.

    Each value is `STACK.KEY`: the id of the stack in the cloud assembly and the key of the output.
    """

    broker_cluster_arn: str
    """ARN of the MSK cluster. Slipway reads and changes the topics of this cluster."""

    database_secret_arn: str
    """ARN of the secret in Secrets Manager that contains the user name and the password of the database."""

    database_host: str
    """Host name of the database."""

    database_port: str
    """Port of the database."""

    database_name: str
    """Name of the database."""

    cache_host: str
    """Host name of the cache."""

    cache_port: str
    """Port of the cache."""

    cluster_name: str
    """Name of the EKS cluster. It is not used if `[application] kubeconfig` is set."""
