"""One broker cluster for all tests of topics, and for each test a project with topics of its own."""

import uuid
from collections.abc import Iterator
from datetime import timedelta

import pytest

from clients.topics.access import TopicAdmin
from delivery.environment import Environment
from delivery.release import Release
from delivery.topics import TopicSpec
from sandbox.instance import Sandbox
from sandbox.kafka.gate import ignore_writes
from tasks.state.lock import lock_environment
from tasks.topics import connect_topics
from tests.assemblies import Project, make_project
from tests.aws import SandboxAws
from tests.tasks.topics.hands import (
    CONFIGURATION,
    Hands,
    Way,
)

DIGEST = "sha256:" + "d" * 64


@pytest.fixture(scope="package")
def brokers(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A stack with a broker cluster, which all tests share: it takes as long to make as everything else of them."""
    sandbox.require("aws", "kafka")
    project = make_project(f"t{uuid.uuid4().hex[:8]}", tmp_path_factory.mktemp("brokers"))
    outputs = {"MSKStack": {"MSKClusterArn": {"Ref": "Cluster"}}}
    project.write({"MSKStack": {"Cluster": project.cluster()}}, outputs=outputs)
    project.deploy_by_hand(SandboxAws(sandbox.addresses.aws))
    return project


@pytest.fixture
def environment(brokers: Project, sandbox: Sandbox, aws: SandboxAws, way: Way) -> Iterator[Environment]:
    """A project of its own, so that each test has topics of its own."""
    own = brokers.environment.model_copy(update={"project": f"t{uuid.uuid4().hex[:8]}"})
    yield way.lead(own, sandbox, lag=timedelta(seconds=20))
    ignore_writes(sandbox.state)


@pytest.fixture
def release(environment: Environment) -> Iterator[Release]:
    with lock_environment(environment, DIGEST, "hash", "test", wait=False) as release:
        yield release


@pytest.fixture
def topic(environment: Environment) -> TopicSpec:
    name = f"{environment.topic_prefix}views"
    return TopicSpec(name=name, partitions=3, replication_factor=3, configuration=CONFIGURATION)


@pytest.fixture
def topics(environment: Environment) -> TopicAdmin:
    return connect_topics(environment)


@pytest.fixture
def hands(brokers: Project, sandbox: Sandbox) -> Hands:
    return Hands(sandbox)
