from pathlib import Path

import pytest
from prefect.automations import Automation
from prefect.blocks.system import Secret
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.filters import FlowFilter, FlowFilterName
from prefect.exceptions import ObjectNotFound
from prefect.states import Completed, Crashed, Failed

from delivery.errors import Rejected, SettingsError
from deployments.automations import NAME, recovery_automation
from deployments.install import install
from deployments.pool import POOL
from sandbox.testing import eventually

FLOW = """
from prefect import flow

@flow(name="try-out")
def try_out(environment: str = "production") -> None:
    pass

@flow
def deploy_trial() -> None:
    pass

@flow
def recover(reason: str = "") -> None:
    pass
"""
DEPLOYMENTS = """
name: trial
deployments:
  - { name: production, entrypoint: trial.flow.try_out, tags: [slipway], work_pool: { name: slipway } }
"""
RECOVERED = f"""{DEPLOYMENTS}
  - {{ name: trial, entrypoint: trial.flow.deploy_trial, work_pool: {{ name: slipway }} }}
  - {{ name: trial, entrypoint: trial.flow.recover, work_pool: {{ name: slipway }} }}
"""
ENVIRON = {"SLIPWAY_OVERLAYS": "/etc/slipway.toml", "AWS_SECRET_ACCESS_KEY": "hush", "AWS_ACCESS_KEY_ID": "key"}


@pytest.fixture
def checkout(tmp_path: Path, prefect_server: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with one flow; the command that deploys it speaks to the tests' server."""
    monkeypatch.setenv("PREFECT_API_URL", prefect_server)
    (tmp_path / "trial").mkdir()
    (tmp_path / "trial" / "__init__.py").touch()
    (tmp_path / "trial" / "flow.py").write_text(FLOW)
    (tmp_path / "prefect.yaml").write_text(DEPLOYMENTS)
    return tmp_path


def test_installing_twice_changes_nothing_the_second_time(checkout: Path) -> None:
    list(install(checkout, ENVIRON))
    with get_client(sync_client=True) as client:
        first = client.read_deployment_by_name("try-out/production").id
        sentences = list(install(checkout, ENVIRON))
        assert client.read_deployment_by_name("try-out/production").id == first
        pool = client.read_work_pool(POOL)
        named = client.read_automations_by_name(NAME)
    assert sentences[0] == f"Work pool {POOL}: up to date."
    assert f"Automation {NAME!r}: up to date." in sentences
    assert sentences[1].startswith(
        "Each run gets 2 environment variables of this shell, and 2 more from Secret blocks. "
    )
    assert "Prefect deployments of" in "".join(sentences)
    assert "try-out/production" in "".join(sentences)
    assert len(named) == 1
    assert (
        pool.base_job_template["variables"]["properties"]["env"]["default"]["SLIPWAY_OVERLAYS"] == "/etc/slipway.toml"
    )


def test_each_schedule_is_reported(checkout: Path) -> None:
    schedule = '{ slug: half-hourly, cron: "*/30 * * * *", timezone: UTC, active: true }'
    named = DEPLOYMENTS.replace("name: production,", f"name: production, schedules: [{schedule}],")
    (checkout / "prefect.yaml").write_text(named)
    when = "half-hourly (cron */30 * * * *, UTC)"
    said = f"try-out/production also runs on a schedule, {when}. To pause it, use the Prefect UI."
    assert said in list(install(checkout, ENVIRON))


def test_secrets_are_in_blocks_and_not_in_the_pool(checkout: Path) -> None:
    sentences = "".join(install(checkout, ENVIRON))
    with get_client(sync_client=True) as client:
        template = str(client.read_work_pool(POOL).base_job_template)
    assert "hush" not in template + sentences
    assert "{{ prefect.blocks.secret.slipway-aws-secret-access-key }}" in template
    block = Secret.load("slipway-aws-secret-access-key")
    assert block.get() == "hush"  # pyright: ignore[reportAttributeAccessIssue]


def test_the_automation_waits_for_more_than_one_heartbeat_and_for_all_of_our_endings(checkout: Path) -> None:
    list(install(checkout, ENVIRON))
    trigger = Automation.read(name=NAME).trigger  # pyright: ignore[reportAttributeAccessIssue]
    assert trigger.within.total_seconds() > 2 * 30
    assert {"prefect.flow-run.heartbeat", "prefect.flow-run.RolledBack", "prefect.flow-run.Failed"} <= trigger.expect


def test_a_release_that_crashes_or_is_unfinished_has_what_it_left_recovered_once(checkout: Path) -> None:
    (checkout / "prefect.yaml").write_text(RECOVERED)
    name = "slipway: recover an orphaned release of trial"
    list(install(checkout, ENVIRON))
    assert f"Automation {name!r}: up to date." in list(install(checkout, ENVIRON))
    with get_client(sync_client=True) as client:
        release = client.read_deployment_by_name("deploy-trial/trial").id
        for state in (Failed(name="RolledBack"), Completed(), Crashed()):
            run = client.create_flow_run_from_deployment(release, name=f"run-{state.name}")
            client.set_flow_run_state(run.id, state, force=True)
        recovered = FlowFilter(name=FlowFilterName(any_=["recover"]))
        runs = eventually(lambda: client.read_flow_runs(flow_filter=recovered))
    assert [run.parameters["reason"] for run in runs] == ["the run run-Crashed ended Crashed"]


def test_what_an_earlier_version_installed_under_other_names_is_removed(checkout: Path) -> None:
    flow = checkout / "trial" / "flow.py"
    flow.write_text(FLOW + '\n@flow(name="roll-back")\ndef roll_back() -> None:\n    pass\n')
    schedule = 'schedules: [{ slug: nightly, cron: "0 3 * * *", timezone: UTC }]'
    old = f"  - {{ name: trial, entrypoint: trial.flow.roll_back, {schedule}, work_pool: {{ name: slipway }} }}\n"
    (checkout / "prefect.yaml").write_text(RECOVERED + old)
    list(install(checkout, ENVIRON))
    former = "slipway: recover trial from a release that died"
    with get_client(sync_client=True) as client:
        ids = [client.read_deployment_by_name(f"{name}/trial").id for name in ("deploy-trial", "recover")]
        assert client.read_deployment_by_name("roll-back/trial").schedules
    recovery_automation("trial", *ids).model_copy(update={"name": former}).create()

    flow.write_text(FLOW + "\n@flow\ndef rollback() -> None:\n    pass\n")
    (checkout / "prefect.yaml").write_text(RECOVERED + old.replace("roll_back", "rollback"))
    said = list(install(checkout, ENVIRON))
    assert "Prefect deployment roll-back/trial: removed; replaced by rollback/trial." in said
    assert f"Automation {former!r}: removed; replaced by 'slipway: recover an orphaned release of trial'." in said
    with get_client(sync_client=True) as client:
        with pytest.raises(ObjectNotFound):
            client.read_deployment_by_name("roll-back/trial")
        assert client.read_deployment_by_name("rollback/trial").schedules
        assert client.read_automations_by_name(former) == []
    assert not [sentence for sentence in install(checkout, ENVIRON) if "removed" in sentence]


def test_a_faulty_deployment_is_reported_in_prefects_words(checkout: Path) -> None:
    (checkout / "prefect.yaml").write_text(DEPLOYMENTS.replace("try_out", "nothing"))
    with pytest.raises(Rejected, match="prefect deploy failed"):
        list(install(checkout, ENVIRON))


def test_a_pool_of_another_type_is_left_alone(
    checkout: Path, prefect_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with get_client(sync_client=True) as client:
        list(install(checkout, ENVIRON))
        client.delete_work_pool(POOL)
        client.create_work_pool(WorkPoolCreate(name=POOL, type="kubernetes"))
        try:
            with pytest.raises(SettingsError, match="is of type kubernetes"):
                list(install(checkout, ENVIRON))
        finally:
            client.delete_work_pool(POOL)
