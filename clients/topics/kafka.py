"""Topics through the Kafka protocol, for clusters without the MSK topic API. It needs a network path to the brokers."""

# confluent_kafka documents these names in this module, but does not declare that it exports them.
# pyright: reportPrivateImportUsage=false

from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

from aws_msk_iam_sasl_signer import MSKAuthTokenProvider
from botocore.credentials import CredentialProvider, Credentials
from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ConfigSource,
    NewPartitions,
    NewTopic,
    ResourceType,
)

from clients.aws.session import aws_credentials
from clients.topics.msk import read_bootstrap_brokers
from delivery.environment import Environment
from delivery.errors import Conflict, DeliveryError, NotFound, NotPermitted, Rejected, Unavailable
from delivery.settings.topics import BrokerSecurity
from delivery.topics import ObservedTopic, TopicSpec

TIMEOUT_SECONDS = 15.0
POLL_SECONDS = 0.02
# Makes librdkafka search for the certificate authorities of the system.
SYSTEM_AUTHORITIES = "probe"
BOOTSTRAP = {
    BrokerSecurity.IAM: ("BootstrapBrokerStringSaslIam",),
    BrokerSecurity.PLAINTEXT: ("BootstrapBrokerString",),
}
UNREACHED = (KafkaError._TRANSPORT, KafkaError._TIMED_OUT, KafkaError._ALL_BROKERS_DOWN, KafkaError._RESOLVE)
# The error of a request that waits at a bootstrap address when librdkafka learns which broker has this address.
UNREACHED += (KafkaError._DESTROY_BROKER,)
REFUSED = (
    KafkaError._AUTHENTICATION,
    KafkaError._SSL,
    KafkaError.SASL_AUTHENTICATION_FAILED,
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
)


class KafkaTopics:
    """A TopicAdmin of one cluster, see clients/topics/access.py."""

    def __init__(self, environment: Environment, cluster_arn: str) -> None:
        self._refusal: KafkaError | None = None
        brokers = read_bootstrap_brokers(
            cluster_arn, environment.aws.region, BOOTSTRAP[environment.topics.broker_security]
        )
        connection = {"bootstrap.servers": brokers, "log_level": 0, "error_cb": self._note_error}
        self._admin = AdminClient(connection | security_settings(environment))

    def read(self, name: str) -> ObservedTopic | None:
        resource = ConfigResource(ResourceType.TOPIC, name)
        try:
            with self._translated(f"read topic {name}"):
                described = self._admin.describe_topics(TopicCollection([name]), request_timeout=TIMEOUT_SECONDS)
                settings = self._admin.describe_configs([resource], request_timeout=TIMEOUT_SECONDS)
                return _observed(self._wait_for(described[name]), self._wait_for(settings[resource]))
        except NotFound:
            return None

    def list_names(self, prefix: str) -> tuple[str, ...]:
        with self._translated(f"list the topics {prefix}*"):
            # If the brokers refuse the client, this request can be ended early, and a listing cannot.
            self._wait_for(self._admin.describe_cluster(request_timeout=TIMEOUT_SECONDS))
            found = self._admin.list_topics(timeout=TIMEOUT_SECONDS).topics
        return tuple(sorted(name for name in found if name.startswith(prefix)))

    def create(self, topic: TopicSpec) -> bool:
        wanted = NewTopic(topic.name, topic.partitions, topic.replication_factor, config=topic.configuration)
        try:
            with self._translated(f"create topic {topic.name}"):
                self._wait_for(self._admin.create_topics([wanted], request_timeout=TIMEOUT_SECONDS)[topic.name])
        except Conflict:
            return False
        return True

    def update(self, name: str, configuration: Mapping[str, str], partitions: int | None) -> None:
        with self._translated(f"change topic {name}"):
            if configuration:
                resource = ConfigResource(ResourceType.TOPIC, name, incremental_configs=_entries(configuration))
                self._wait_for(
                    self._admin.incremental_alter_configs([resource], request_timeout=TIMEOUT_SECONDS)[resource]
                )
            if partitions is not None:
                wanted = NewPartitions(name, partitions)
                self._wait_for(self._admin.create_partitions([wanted], request_timeout=TIMEOUT_SECONDS)[name])

    def _wait_for(self, request: Future[Any]) -> Any:
        """The result. A client that the brokers refuse tries again until its timeout. This ends the request at once."""
        while not request.done():
            self._admin.poll(POLL_SECONDS)
            if self._refusal is not None:
                raise KafkaException(self._refusal)
        return request.result()

    def _note_error(self, error: KafkaError) -> None:
        # An interrupted handshake is not a refusal, because a broker that restarts causes it too.
        if error.code() in REFUSED and (error.code() != KafkaError._SSL or "certificate" in error.str()):
            self._refusal = error

    @contextmanager
    def _translated(self, what: str) -> Iterator[None]:
        """Translate the client's exceptions to a DeliveryError. what: the end of a sentence "Could not ..."."""
        try:
            yield
        except KafkaException as failure:
            error: KafkaError = self._refusal or failure.args[0]
            self._refusal = None
            raise error_type(error)(f"Could not {what}: {error.str()}") from failure


def security_settings(environment: Environment) -> dict[str, Any]:
    """The security settings of librdkafka; none for `broker_security = "plaintext"`."""
    if environment.topics.broker_security is BrokerSecurity.PLAINTEXT:
        return {}
    return {
        "security.protocol": "SASL_SSL",
        "sasl.mechanisms": "OAUTHBEARER",
        "oauth_cb": lambda _: sign_token(environment.aws.region),
        "ssl.ca.location": environment.tls.ca_bundle or SYSTEM_AUTHORITIES,
    }


def sign_token(region: str) -> tuple[str, float]:
    """A token for kafka-cluster:Connect, and when it expires, in seconds since 1970. librdkafka renews it earlier."""
    signer = MSKAuthTokenProvider.generate_auth_token_from_credentials_provider
    token, expires_in_milliseconds = signer(region, SessionCredentials(region))
    return token, expires_in_milliseconds / 1000


class SessionCredentials(CredentialProvider):
    """The present credentials of the session. Without it, the signer would search for credentials itself."""

    METHOD = "slipway"

    def __init__(self, region: str) -> None:
        super().__init__()
        self._region = region

    # botocore declares no type here, and pyright infers it from the `return True` of the base class.
    def load(self) -> Credentials:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Raises NotPermitted if there are none."""
        frozen = aws_credentials(self._region).get_frozen_credentials()
        return Credentials(frozen.access_key, frozen.secret_key, frozen.token)


def error_type(error: KafkaError) -> type[DeliveryError]:
    """The error for an error response."""
    if error.code() in REFUSED:
        return NotPermitted
    if error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
        return NotFound
    if error.code() == KafkaError.TOPIC_ALREADY_EXISTS:
        return Conflict
    return Unavailable if error.code() in UNREACHED or error.retriable() else Rejected


def _entries(configuration: Mapping[str, str]) -> list[ConfigEntry]:
    return [
        ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET) for key, value in configuration.items()
    ]


def _observed(described: Any, settings: Mapping[str, Any]) -> ObservedTopic:
    """configuration: the keys that are set for the topic itself, as in the topic API."""
    is_own = ConfigSource.DYNAMIC_TOPIC_CONFIG.value
    return ObservedTopic(
        name=described.name,
        partitions=len(described.partitions),
        replication_factor=len(described.partitions[0].replicas),
        configuration={key: entry.value for key, entry in settings.items() if entry.source == is_own},
        is_settled=all(partition.leader is not None for partition in described.partitions),
    )
