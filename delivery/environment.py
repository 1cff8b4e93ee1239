"""The reviewed facts of one environment, as values; their numbers stand in environments/<name>.toml alone."""

import re
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds", "ms": "milliseconds"}


def parse_duration(value: Any) -> Any:
    """`90d`, `1h`, `10m`, `5s` or `500ms` as a timedelta; anything else is left to pydantic."""
    found = re.fullmatch(r"(\d+)(ms|[dhms])", value) if isinstance(value, str) else None
    return timedelta(**{UNITS[found[2]]: int(found[1])}) if found else value


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
Chance = Annotated[float, Field(gt=0.0, lt=1.0)]


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


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
    poll: Duration
    deadline: Duration


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
    the load balancer's listener. kubeconfig: file that names the cluster where it is not reached through EKS.
    """

    repository: str
    namespace: str
    manifests: str
    certificate_arn: str
    api_url: str
    kubeconfig: str | None = None

    @property
    def health_url(self) -> str:
        """What answers 200 when the backend is well, by the front door."""
        return f"{self.api_url}/actuator/health"


class SmallestHarm(Section):
    """The least increase of the failure rate (0.0 to 1.0) that a canary must not overlook."""

    stable: Share
    canary: Share

    def __str__(self) -> str:
        return f"failure rate {100 * self.stable:g} % -> {100 * self.canary:g} %"


class WhenUnsure(StrEnum):
    """What to do when the ceiling of a pause is reached without proof."""

    REVERT = "revert"
    ASK = "ask"
    GUIDE = "guide"


class Canary(Section):
    """What an environment wants of a canary.

    pause: of each step, at least. ceiling: at most, times the pause. lateness: how long after its end a period's counts
    may still arrive. slow_after: the latency objective; what takes longer is slow. alpha: chance of a false abort in a
    whole release. split_alpha: the same for a weight that is honoured. *_deadline: ours, not the controller's;
    mismatch_deadline: how long a weight that was confirmed may be another one again. answer_deadline: how long a person
    is asked.
    """

    pause: Duration
    period: Duration
    ceiling: float = Field(ge=1.0)
    lateness: Duration
    min_success_rate: Share
    slow_after: Duration
    alpha: Chance
    split_alpha: Chance
    confidence: Chance
    harmless_ratio: float = Field(gt=1.0)
    smallest_harm: SmallestHarm
    chance_to_find: Chance
    when_unsure: WhenUnsure
    answer_deadline: Duration
    ready_deadline: Duration
    weight_deadline: Duration
    mismatch_deadline: Duration
    abort_deadline: Duration
    poll: Duration


class Hold(Section):
    """lease: how long a hold counts after its last renewal. wait: how long a second release waits for the first."""

    lease: Duration
    wait: Duration


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
    stacks: Stacks
    outputs: Outputs
    addons: Addons
    topics: Topics
    application: Application
    canary: Canary
    hold: Hold
    notices: Notices = Notices()
    tls: Tls = Tls()
    resolve: dict[str, str] = {}

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
