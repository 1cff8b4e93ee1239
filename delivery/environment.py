"""The settings of one environment, as values. Their numbers are only in environments/<name>.toml."""

from enum import StrEnum

from pydantic import Field, SecretStr

from delivery.canary.settings import Canary
from delivery.fields import Duration, PositiveDuration, Section
from delivery.settings.cluster import Addons, Application
from delivery.settings.stacks import Outputs, Stacks
from delivery.settings.topics import Topic, Topics


class AwsAccount(Section):
    """The AWS account. Credentials and endpoints are not settings: the variables `AWS_*` have their usual meaning."""

    account_id: str = Field(pattern=r"^\d{12}$")
    """Number of the account, twelve digits. A release is refused if the credentials belong to another account."""

    region: str
    """Region of the stacks, the image repository and the bucket of `[state] url`, such as `us-east-1`."""


class StateStore(Section):
    """The object store of the lock, the journals and the large templates."""

    url: str = Field(pattern=r"^(file|s3)://")
    """`s3://bucket/prefix` or `file:///folder`. All processes that release to the environment must use the same store.
    With a folder, a stack whose template is over 51,200 bytes is refused.
    """

    @property
    def has_bucket(self) -> bool:
        return self.url.startswith("s3://")


class OnPlanChange(StrEnum):
    STOP = "stop"
    CONTINUE = "continue"


class Planning(Section):
    """What a release does if the environment changed between its plan and the lock."""

    on_change: OnPlanChange
    """After a release has acquired the lock, it makes the plan again. If the new plan differs, `stop` ends the release,
    and `continue` shows the new plan and carries it out. A refused plan ends the release in both cases.
    """


class Lock(Section):
    """Exclusive use of the environment."""

    lease: PositiveDuration
    """How long the lock is valid after its last renewal. A release renews it three times per lease. If the process
    dies, another process can acquire the lock after the lease plus ten seconds.
    """

    wait: Duration
    """How long a release waits for the lock of another release. With `--no-wait`, it does not wait. A manual rollback
    waits only with `--wait`.
    """


class OnOrphaned(StrEnum):
    ROLLBACK = "rollback"
    LEAVE = "leave"


class Recovery(Section):
    """The canary of an orphaned release: one that changed the Rollout, and whose process died or lost the lock."""

    on_orphaned: OnOrphaned
    """What a recovery does with the canary. `rollback` rolls it back. `leave` keeps its weight and reports it, and a
    person decides.
    """


class Notices(Section):
    """The notification channels. Without a channel, no one is notified, and the log of each release,
    rollback and recovery says so.
    """

    webhook_url: SecretStr | None = None
    """Address that gets each notification as a JSON object by POST: `id`, `environment`, `release`, `event`, `text`.
    Set it as a variable, because it is a secret.
    """

    slack_block: str | None = None
    """Name of a `SlackWebhook` block in Prefect, which sends each notification to Slack."""


class Tls(Section):
    """The certificate authorities that Slipway trusts."""

    ca_bundle: str | None = None
    """PEM file with certificate authorities. For HTTPS to the public endpoint and to add-on manifests, they are trusted
    in addition to those of the system. For brokers (`[topics] by = "kafka"`), they replace those of the system, because
    the client reads only one file.
    """


class Environment(Section):
    """The settings of one environment."""

    project: str
    """Name of the system. The names of topics begin with `PROJECT.ENVIRONMENT.`. Alarms whose names begin with
    `PROJECT-ENVIRONMENT-` count against a canary.
    """

    name: str
    """Name of the environment. It must be the name of the file without `.toml`."""

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
    """Table `[resolve]` with addresses that replace DNS when Slipway calls the public endpoint. Each line is
    `"HOST:PORT" = "ADDRESS:PORT"`. The certificate must still be that of the host.
    """

    @property
    def prefix(self) -> str:
        """`<project>-<environment>`, the start of the names of all stacks and alarms."""
        return f"{self.project}-{self.name}"

    @property
    def topic_prefix(self) -> str:
        """`<project>.<environment>.`, the start of the names of all topics."""
        return f"{self.project}.{self.name}."

    def topics_wanted(self) -> tuple[Topic, ...]:
        """The topics with their complete names, `<project>.<environment>.<name>`."""
        prefix = self.topic_prefix
        return tuple(topic.model_copy(update={"name": f"{prefix}{topic.name}"}) for topic in self.topics.specified)
