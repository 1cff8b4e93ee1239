"""A cluster that lacks an add-on, which is one of its own: others would miss it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.environment import variables
from sandbox.instance import Sandbox
from sandbox.settings import SandboxSettings
from tasks.systems import connect_system
from tasks.workloads import plan_rendered, render_application
from tests.sandbox.polling import eventually
from tests.shop import Shop, make_shop


@pytest.fixture
def bare_shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """A shop whose cluster never had Argo Rollouts."""
    settings = SandboxSettings(time_factor=20.0)
    with Sandbox(tmp_path / "sandbox", parts=("aws", "kubernetes"), settings=settings) as sandbox:
        for name, value in variables(sandbox.state, sandbox.addresses, sandbox.settings).items():
            monkeypatch.setenv(name, value)
        shop = make_shop(sandbox, tmp_path)
        shop.cluster.delete("CustomResourceDefinition", "rollouts.argoproj.io")
        eventually(lambda: not shop.cluster.serves("argoproj.io/v1alpha1", "Rollout"))
        yield shop


def test_a_cluster_without_the_kind_of_a_manifest_is_refused_in_the_plan_with_its_add_on(bare_shop: Shop) -> None:
    live, digest = connect_system(bare_shop.environment), bare_shop.push("a")
    plan = plan_rendered(live, render_application(bare_shop.environment, digest, {}), digest)
    assert plan.steps == ()
    assert plan.refusals == (
        "The cluster does not serve Rollout of argoproj.io/v1alpha1. Install Argo Rollouts, then release again.",
    )
