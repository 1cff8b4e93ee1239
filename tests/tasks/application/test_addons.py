"""Add-ons that are installed, missing and newly installed. Argo Rollouts is removed only from a separate cluster."""

import hashlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from clients.cluster import Cluster, connect_cluster
from delivery.canary.verdict import Verdict
from delivery.context import ReleaseContext
from delivery.environment import Environment
from delivery.errors import Altered, NotFound, Unavailable
from delivery.release import Event
from delivery.settings.cluster import Addon, PinnedManifest
from sandbox.environment import variables
from sandbox.instance import Sandbox
from sandbox.settings import SandboxSettings
from sandbox.testing import eventually
from tasks.application.addons import ensure_addon, read_addons
from tasks.application.planning import make_object_plan, render_application
from tasks.checks import check_addons
from tasks.rollout.live import connect_rollout
from tasks.state.journal import read_journal
from tasks.state.lock import lock_environment
from tests.assemblies import Project
from tests.aws import SandboxAws
from tests.shop import Shop, make_shop

DIGEST = "sha256:" + "d" * 64
AGENT = "amazon-cloudwatch-observability"
MANIFEST = """
apiVersion: apps/v1
kind: Deployment
metadata:
  name: amazon-cloudwatch-observability-controller-manager
spec:
  replicas: 1
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec: {containers: [{name: agent, image: "example.org/cloudwatch-agent-operator:3.2.0"}]}
---
apiVersion: v1
kind: Namespace
metadata:
  name: amazon-cloudwatch
"""


@pytest.fixture
def environment(sandbox: Sandbox, aws: SandboxAws, project: Project) -> Environment:
    """An environment with a stack that names a cluster."""
    sandbox.require("aws", "kubernetes")
    outputs = {"EKSStack": {"EKSClusterName": "the-cluster"}}
    project.write({"EKSStack": {"One": project.parameter("one", "1")}}, outputs=outputs)
    project.deploy_manually(aws)
    application = project.environment.application.model_copy(update={"kubeconfig": str(sandbox.state / "kubeconfig")})
    return project.environment.model_copy(update={"application": application})


@pytest.fixture
def context(environment: Environment) -> Iterator[ReleaseContext]:
    with lock_environment(environment, DIGEST, "hash", "test", wait=False) as context:
        yield context


@pytest.fixture
def agent(environment: Environment) -> Addon:
    """The metrics agent. No other test needs it."""
    return next(addon for addon in environment.addons.wanted if addon.name == AGENT)


@pytest.fixture
def cluster(environment: Environment, agent: Addon) -> Iterator[Cluster]:
    """The cluster without the agent, which is installed again after the test."""
    cluster = connect_cluster(environment, "the-cluster")
    deployment = cluster.read("Deployment", agent.deployment, agent.namespace)
    assert deployment is not None
    cluster.delete("Deployment", agent.deployment, agent.namespace)
    yield cluster
    cluster.delete("Deployment", agent.deployment, agent.namespace)
    metadata = {key: value for key, value in deployment["metadata"].items() if key in ("name", "namespace", "labels")}
    cluster.apply({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": deployment["spec"]})


@pytest.fixture
def address() -> Iterator[str]:
    """The address of a server that has the manifest at /install.yaml."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/install.yaml" else 404)
            self.end_headers()
            self.wfile.write(MANIFEST.encode())

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def pinned(addon: Addon, url: str, sha256: str | None = None) -> Addon:
    sha256 = sha256 or hashlib.sha256(MANIFEST.encode()).hexdigest()
    return addon.model_copy(update={"manifest": PinnedManifest(url=url, sha256=sha256)})


def test_the_addons_of_a_cluster_are_read_with_their_versions(environment: Environment) -> None:
    addons = read_addons(environment)
    assert addons is not None
    assert {name: (addon.version, addon.is_available, addon.missing) for name, addon in addons.items()} == {
        "argo-rollouts": ("v1.9.1", True, ()),
        "aws-load-balancer-controller": ("v3.5.0", True, ()),
        AGENT: ("3.2.0", True, ()),
    }


def test_the_check_of_the_addons_names_a_missing_addon_that_a_release_does_not_need(
    prefect_server: str, environment: Environment, agent: Addon, cluster: Cluster
) -> None:
    check = check_addons.fn(environment)
    assert check.verdict is Verdict.PASS
    missing = f"Deployment {agent.deployment} does not exist in namespace {agent.namespace}"
    assert check.seen == f"2 as specified; accepted: {AGENT}: {missing}"


def test_a_missing_addon_is_installed_from_its_pinned_manifest_only_once(
    context: ReleaseContext, agent: Addon, cluster: Cluster, address: str
) -> None:
    wanted = pinned(agent, f"{address}/install.yaml")
    ensure_addon(context, cluster, wanted)
    deployment = cluster.read("Deployment", agent.deployment, agent.namespace)
    assert deployment is not None
    assert deployment["status"]["availableReplicas"] == 1
    ensure_addon(context, cluster, wanted)
    events = [
        record.event
        for record in read_journal(context.environment, context.release.number)
        if record.step.endswith(AGENT)
    ]
    assert events == [Event.INTENDED, Event.DONE]


def test_another_manifest_than_the_pinned_one_is_not_applied_and_both_digests_are_named(
    context: ReleaseContext, agent: Addon, cluster: Cluster, address: str
) -> None:
    sha256 = hashlib.sha256(MANIFEST.encode()).hexdigest()
    with pytest.raises(Altered, match=f"has SHA-256 {sha256}, but {'0' * 64} is pinned"):
        ensure_addon(context, cluster, pinned(agent, f"{address}/install.yaml", "0" * 64))
    assert cluster.read("Deployment", agent.deployment, agent.namespace) is None


def test_a_manifest_that_does_not_exist_is_worth_retrying(
    context: ReleaseContext, agent: Addon, cluster: Cluster, address: str
) -> None:
    with pytest.raises(Unavailable, match="answers HTTP 404"):
        ensure_addon(context, cluster, pinned(agent, f"{address}/other.yaml"))


def test_a_missing_addon_without_a_pinned_manifest_stops_a_release_only_if_it_is_needed(
    context: ReleaseContext, agent: Addon, cluster: Cluster
) -> None:
    ensure_addon(context, cluster, agent)
    with pytest.raises(NotFound, match=f"Deployment {agent.deployment} does not exist"):
        ensure_addon(context, cluster, agent.model_copy(update={"is_required": True}))


@pytest.fixture
def bare_shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """A shop with a cluster of its own, without Argo Rollouts."""
    settings = SandboxSettings(time_factor=20.0)
    with Sandbox(tmp_path / "sandbox", parts=("aws", "kubernetes"), settings=settings) as sandbox:
        for name, value in variables(sandbox.state, sandbox.addresses, sandbox.settings).items():
            monkeypatch.setenv(name, value)
        shop = make_shop(sandbox, tmp_path)
        shop.cluster.delete("CustomResourceDefinition", "rollouts.argoproj.io")
        eventually(lambda: not shop.cluster.serves("argoproj.io/v1alpha1", "Rollout"))
        yield shop


def test_a_plan_is_refused_if_the_cluster_does_not_serve_a_kind_and_names_the_add_on(bare_shop: Shop) -> None:
    live, digest = connect_rollout(bare_shop.environment), bare_shop.push("a")
    plan = make_object_plan(live, render_application(bare_shop.environment, digest, {}), digest)
    assert plan.steps == ()
    assert plan.refusals == (
        "The cluster does not serve Rollout of argoproj.io/v1alpha1. Install Argo Rollouts, then release again.",
    )
