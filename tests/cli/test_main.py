import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from prefect import flow
from prefect.runtime import flow_run
from prefect.settings import PREFECT_API_URL, temporary_settings

from cli.main import main
from delivery.errors import RolledBack
from sandbox.testing import PATIENCE
from tasks.state.lock import lock_environment, read_lock
from tests.environments import CHECKOUT, installed, production

DIGEST = "sha256:" + "d" * 64


@dataclass(frozen=True)
class Ran:
    """What one call of the command line said, and its exit code."""

    exit_code: object
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Slipway:
    """The command line, called in this process."""

    printed: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str) -> Ran:
        with pytest.raises(SystemExit) as end:
            main(arguments)
        printed = self.printed.readouterr()
        return Ran(end.value.code, printed.out, printed.err)


@pytest.fixture
def slipway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Slipway]:
    """The command line with production's settings, a store of its own, and neither an account nor a Prefect server."""
    installed(tmp_path / "store", monkeypatch)
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    with temporary_settings(restore_defaults={PREFECT_API_URL}):
        yield Slipway(capsys)


def test_the_command_ends_by_its_exit_code() -> None:
    command = [sys.executable, "-m", "cli.main", "release", "--digest", "latest"]
    ended = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "sha256: and 64 hexadecimal digits" in ended.stderr


def test_each_command_says_in_one_whole_line_what_it_does(slipway: Slipway) -> None:
    listed = slipway("--help").stdout.partition("Commands:")[2].strip().splitlines()
    assert len(listed) >= 10
    assert [line for line in listed if line.endswith("...") or not line.endswith(".")] == []


def test_without_an_address_of_prefect_nothing_is_started(slipway: Slipway) -> None:
    ran = slipway("verify")
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert ran.stderr == (
        "PREFECT_API_URL is not set. Nothing was started. Set it to the Prefect API, such as http://host:4200/api.\n"
    )


def test_a_prefect_that_does_not_answer_is_one_sentence(slipway: Slipway) -> None:
    url = "http://127.0.0.1:1/api"
    with temporary_settings({PREFECT_API_URL: url}):
        ran = slipway("release", "--digest", DIGEST)
    assert ran.exit_code == 4
    assert ran.stderr == f"The Prefect server at {url} does not answer. Check that it runs. Nothing was started.\n"


@pytest.mark.parametrize("ending", ["", "/ap", "/api/v1"])
def test_an_address_at_which_no_prefect_answers_is_named_with_what_it_is_like(
    slipway: Slipway, prefect_server: str, ending: str
) -> None:
    url = prefect_server.removesuffix("/api") + ending
    with temporary_settings({PREFECT_API_URL: url}):
        ran = slipway("release", "--digest", DIGEST)
    assert ran.exit_code == 2
    assert ran.stderr == (
        f"PREFECT_API_URL={url} is not the address of a Prefect API. Nothing was started. Set it to an address such as "
        "http://host:4200/api, with /api at its end.\n"
    )


def test_a_release_before_the_installation_says_that_nothing_was_submitted(
    slipway: Slipway, prefect_server: str
) -> None:
    with temporary_settings({PREFECT_API_URL: prefect_server}):
        ran = slipway("release", "--digest", DIGEST)
    assert ran.exit_code == 4
    assert "has no Prefect deployment deploy-production/production. Nothing was submitted." in ran.stderr
    assert ran.stderr.endswith("slipway install\n")


@pytest.mark.parametrize(
    ("arguments", "exit_code", "message"),
    [
        (("verify", "staging"), 2, "There is no environment 'staging'"),
        (("status", "staging"), 2, "There is no environment 'staging'"),
        (("simulate", "--environment", "staging"), 2, "There is no environment 'staging'"),
        (("plan", "--digest", "latest"), 2, "an artifact digest is sha256:"),
        (("release", "--no-such-option"), 2, "No such option: --no-such-option"),
        (("rollback",), 2, "PREFECT_API_URL is not set"),
        (("install",), 2, "PREFECT_API_URL is not set"),
        (("stop", "--reason", "x"), 4, "production is not locked"),
    ],
)
def test_a_program_gets_one_document_however_the_command_ends(
    slipway: Slipway, arguments: tuple[str, ...], exit_code: int, message: str
) -> None:
    ran = slipway(*arguments, "--json")
    answer = json.loads(ran.stdout)
    assert (ran.exit_code, answer["exit_code"]) == (exit_code, exit_code)
    assert message in answer["message"]


def test_an_environment_without_a_file_is_a_matter_of_usage_that_names_those_with_one(slipway: Slipway) -> None:
    ran = slipway("plan", "staging", "--digest", DIGEST)
    assert ran.exit_code == 2
    assert f"There is no environment 'staging': {CHECKOUT}/environments/staging.toml does not exist." in ran.stderr
    assert "Existing environments: " in ran.stderr
    assert "production" in ran.stderr.partition("Existing environments: ")[2]


def test_missing_settings_are_named_and_nothing_else(slipway: Slipway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLIPWAY_STATE__URL")
    ran = slipway("status")
    assert ran.exit_code == 2
    problem, advice = ran.stderr.splitlines()
    assert problem.endswith("or as SLIPWAY_STATE__URL.")
    assert advice == "Nothing was started. Fix these settings and try again."


def test_the_status_lists_the_last_releases_newest_first(slipway: Slipway, tmp_path: Path) -> None:
    with lock_environment(production(tmp_path / "store"), DIGEST, "hash", "first"):
        pass
    release_that_failed(tmp_path / "store")
    ran = slipway("status")
    _, free, _, second, first = ran.stdout.splitlines()
    assert (ran.exit_code, free) == (0, "production is not locked.")
    assert second.endswith("ROLLED BACK      41 serves all traffic.  (second)")
    assert first.endswith("COMPLETED        (first)")


def test_a_status_without_an_account_says_so_and_shows_the_rest(slipway: Slipway) -> None:
    first, *rest = slipway("status").stdout.splitlines()
    assert first.startswith("Traffic of production unknown: ")
    assert rest == ["production is not locked.", "production has no releases yet."]


def test_on_a_terminal_the_status_is_one_line_a_release_and_in_a_file_it_is_whole(
    slipway: Slipway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release_that_failed(tmp_path / "store", "41 serves all traffic." + " It took long." * 20)
    in_file = slipway("status")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    on_terminal = slipway("status")
    assert in_file.stdout.splitlines()[-1].count("It took long.") == 20
    assert len(on_terminal.stdout.splitlines()[-1]) == 80


def test_the_status_for_a_program_keeps_all_of_a_digest_and_the_journal(slipway: Slipway, tmp_path: Path) -> None:
    release_that_failed(tmp_path / "store")
    answer = json.loads(slipway("status", "--json").stdout)
    (release,) = answer["releases"]
    assert answer["serving"] is None
    assert (release["artifact_digest"], release["outcome"]) == (DIGEST, "ROLLED BACK  41 serves all traffic.")
    assert [record["event"] for record in release["journal"]] == ["started", "ended"]


def test_the_status_says_where_prefects_ui_shows_the_newest_release(
    slipway: Slipway, tmp_path: Path, prefect_server: str
) -> None:
    @flow
    def deploy() -> str:
        with lock_environment(production(tmp_path / "store"), DIGEST, "hash", "first"):
            return str(flow_run.id)

    with temporary_settings({PREFECT_API_URL: prefect_server}):
        page = f"{prefect_server.removesuffix('/api')}/runs/flow-run/{deploy()}"
        ran, answer = slipway("status"), json.loads(slipway("status", "--json").stdout)
    assert f"\nRelease 1 in the Prefect UI: {page}\n" in ran.stdout
    assert [release["page"] for release in answer["releases"]] == [page]
    assert json.loads(slipway("status", "--json").stdout)["releases"][0]["page"] is None


def release_that_failed(store: Path, message: str = "41 serves all traffic.") -> None:
    try:
        with lock_environment(production(store), DIGEST, "hash", "second"):
            raise RolledBack(message)
    except RolledBack:
        return


def test_a_release_under_way_is_asked_to_stop(slipway: Slipway, tmp_path: Path) -> None:
    environment = production(tmp_path / "store")
    with lock_environment(environment, DIGEST, "hash", "long"):
        ran = slipway("stop", "--reason", "the database moves.")
        lock = read_lock(environment)
    assert ran.exit_code == 0
    assert ran.stdout.startswith("Asked to stop: release 1 (")
    assert lock
    assert lock.stop
    assert lock.stop.why == "the database moves."


def test_a_stop_that_cannot_ask_prefect_says_so(slipway: Slipway) -> None:
    ran = slipway("stop", "--reason", "x")
    assert ran.exit_code == 4
    assert ran.stderr.startswith("production is not locked. Whether a run waits for its lock is unknown: PREFECT_")


def test_there_is_nothing_to_stop_without_a_lock_and_without_a_waiting_run(
    slipway: Slipway, prefect_server: str
) -> None:
    with temporary_settings({PREFECT_API_URL: prefect_server}):
        ran = slipway("stop", "--reason", "x")
    assert ran.exit_code == 4
    assert ran.stderr == "production is not locked and no run waits for its lock: there is nothing to stop.\n"
