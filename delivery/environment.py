"""The reviewed facts of one environment, as values; their numbers stand in environments/<name>.toml alone."""

from enum import StrEnum

from pydantic import Field, SecretStr

from delivery.canary.settings import Canary
from delivery.fields import Duration, PositiveDuration, Section


class AwsAccount(Section):
    """Credentials and endpoints come from AWS_*; the account is named so that a wrong one is refused."""

    account_id: str = Field(pattern=r"^\d{12}$")
    region: str


class StateStore(Section):
    """Where journal, hold, plans and reports live: `file:///...` or `s3://bucket/prefix`."""

    url: str = Field(pattern=r"^(file|s3)://")

    @property
    def has_bucket(self) -> bool:
        return self.url.startswith("s3://")


class Stacks(Section):
    """assembly: directory with the cloud assembly's manifest.json, relative to the checkout. execution_role: ARN of
    the role in which CloudFormation makes the resources; without it, it makes them with the release's own rights.
    """

    assembly: str
    execution_role: str | None = None
    poll: PositiveDuration
    deadline: Duration


class OnPlanChange(StrEnum):
    STOP = "stop"
    CONTINUE = "continue"


class Planning(Section):
    """on_change: what a release does whose plan, made again with the hold taken, is not the one that was shown."""

    on_change: OnPlanChange


class Outputs(Section):
    """Which stack outputs the release reads, each as STACK.KEY of the assembly."""

    broker_cluster_arn: str
    database_secret_arn: str
    database_host: str
    database_port: str
    database_name: str
    cache_host: str
    cache_port: str
    cluster_name: str


class Topic(Section):
    """name: without the environment's prefix in the file; complete once `Topics.specified` has put it in front."""

    name: str
    partitions: int = Field(ge=1)
    retention: Duration


class TopicsBy(StrEnum):
    MSK_API = "msk-api"
    KAFKA = "kafka"


class BrokerSecurity(StrEnum):
    IAM = "iam"
    PLAINTEXT = "plaintext"


class Topics(Section):
    """What all topics share, and the topics.

    by: the way to them; `kafka`, for clusters without the topic API, needs a path to the brokers. broker_security:
    how the brokers are spoken to where by is `kafka`. lag: how long they may answer from before a write.
    """

    by: TopicsBy
    broker_security: BrokerSecurity = BrokerSecurity.IAM
    replication_factor: int = Field(ge=1)
    min_insync_replicas: int = Field(ge=1)
    compression: str
    lag: Duration
    specified: tuple[Topic, ...]


class PinnedManifest(Section):
    """url: of a manifest with all of an add-on's objects. sha256: of the file that was reviewed."""

    url: str = Field(pattern=r"^https?://")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class Addon(Section):
    """deployment: whose image's tag is the add-on's version. definitions: of the kinds it brings, by their full names.
    is_required: whether a release is refused without it. manifest: what installs it; without, it is only looked for.
    """

    name: str
    version: str
    namespace: str
    deployment: str
    definitions: tuple[str, ...] = ()
    is_required: bool = True
    manifest: PinnedManifest | None = None


class Addons(Section):
    """deadline: how long an add-on may take to come about."""

    deadline: Duration
    wanted: tuple[Addon, ...]


class Application(Section):
    """repository: of the image registry. manifests: directory, relative to the checkout. certificate_arn: for
    the load balancer's listener. database_ca: file, relative to the checkout, with the certificates of those who sign
    the database's. kubeconfig: file that names the cluster where it is not reached through EKS.
    """

    repository: str
    namespace: str
    manifests: str
    certificate_arn: str
    database_ca: str
    api_url: str
    kubeconfig: str | None = None

    @property
    def health_url(self) -> str:
        """What answers 200 when the backend is well, by the front door."""
        # The guide's address. The manifests cannot tell it: their probes and the Ingress's health check ask the pods
        # past the front door, and which of the Ingress's paths speaks of health it does not say.
        return f"{self.api_url}/actuator/health"


class Lock(Section):
    """lease: how long a hold counts after its last renewal. wait: how long a second release waits for the first."""

    lease: PositiveDuration
    wait: Duration


class OnOrphaned(StrEnum):
    ROLLBACK = "rollback"
    LEAVE = "leave"


class Recovery(Section):
    """on_orphaned: what becomes of the canary of a release that died, or lost its hold."""

    on_orphaned: OnOrphaned


class Notices(Section):
    """webhook_url: takes a JSON object by POST. slack_block: name of a Prefect SlackWebhook block."""

    webhook_url: SecretStr | None = None
    slack_block: str | None = None


class Tls(Section):
    """ca_bundle: file with the authorities to trust, for HTTPS to the application besides the system's, and for the
    brokers (`[topics] by = "kafka"`) instead of them, because their client takes one file alone.
    """

    ca_bundle: str | None = None


class Environment(Section):
    """Everything a release needs to know about where it goes."""

    project: str
    name: str
    aws: AwsAccount
    state: StateStore
    plan: Planning
    stacks: Stacks
    outputs: Outputs
    addons: Addons
    topics: Topics
    application: Application
    canary: Canary
    lock: Lock
    recovery: Recovery
    notices: Notices = Notices()
    tls: Tls = Tls()
    resolve: dict[str, str] = Field(default_factory=dict)

    @property
    def prefix(self) -> str:
        """`<project>-<environment>`, in front of every name of the stacks."""
        return f"{self.project}-{self.name}"

    @property
    def topic_prefix(self) -> str:
        """`<project>.<environment>.`, in front of every name of a topic."""
        return f"{self.project}.{self.name}."

    def topics_wanted(self) -> tuple[Topic, ...]:
        """The topics under their complete names, `<project>.<environment>.<name>`."""
        prefix = self.topic_prefix
        return tuple(topic.model_copy(update={"name": f"{prefix}{topic.name}"}) for topic in self.topics.specified)
