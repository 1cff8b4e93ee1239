"""One broker cluster for all tests of topics, and a project with its own topics for each test."""

import uuid
from collections.abc import Iterator
from datetime import timedelta

import pytest

from clients.topics.access import TopicAdmin
from delivery.context import ReleaseContext
from delivery.environment import Environment
from delivery.topics import TopicSpec
from sandbox.instance import Sandbox
from sandbox.kafka.iam_proxy import ignore_writes
from tasks.state.lock import lock_environment
from tasks.topics import connect_topics
from tests.assemblies import Project, make_project
from tests.aws import SandboxAws
from tests.tasks.topics.helpers import CONFIGURATION, KafkaAdmin, TopicApi

DIGEST = "sha256:" + "d" * 64


@pytest.fixture(scope="package")
def brokers(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A stack with a broker cluster, which all tests share. Its creation takes as long as the tests."""
    sandbox.require("aws", "kafka")
    project = make_project(f"t{uuid.uuid4().hex[:8]}", tmp_path_factory.mktemp("brokers"))
    outputs = {"MSKStack": {"MSKClusterArn": {"Ref": "Cluster"}}}
    project.write({"MSKStack": {"Cluster": project.cluster()}}, outputs=outputs)
    project.deploy_manually(SandboxAws(sandbox.addresses.aws))
    return project


@pytest.fixture
def environment(brokers: Project, sandbox: Sandbox, aws: SandboxAws, topic_api: TopicApi) -> Iterator[Environment]:
    """A separate project, so that each test has its own topics."""
    own = brokers.environment.model_copy(update={"project": f"t{uuid.uuid4().hex[:8]}"})
    yield topic_api.use(own, sandbox, lag=timedelta(seconds=20))
    ignore_writes(sandbox.state)


@pytest.fixture
def context(environment: Environment) -> Iterator[ReleaseContext]:
    with lock_environment(environment, DIGEST, "hash", "test", wait=False) as context:
        yield context


@pytest.fixture
def topic(environment: Environment) -> TopicSpec:
    name = f"{environment.topic_prefix}views"
    return TopicSpec(name=name, partitions=3, replication_factor=3, configuration=CONFIGURATION)


@pytest.fixture
def topics(environment: Environment) -> TopicAdmin:
    return connect_topics(environment)


@pytest.fixture
def kafka(brokers: Project, sandbox: Sandbox) -> KafkaAdmin:
    return KafkaAdmin(sandbox)
