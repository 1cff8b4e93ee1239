import json
import os
import subprocess
import sys
from pathlib import Path

from delivery.errors import RolledBack
from tasks.holds import hold_environment, read_hold
from tests.environments import CHECKOUT, production

DIGEST = "sha256:" + "d" * 64


def slipway(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SLIPWAY_", "PREFECT_"))}
    command = [sys.executable, "-m", "cli.main", *arguments]
    return subprocess.run(
        command, cwd=CHECKOUT, env=kept | variables, capture_output=True, text=True, timeout=60, check=False
    )


def settings(store: Path) -> dict[str, str]:
    environment = production(store)
    return {
        "SLIPWAY_AWS__ACCOUNT_ID": environment.aws.account_id,
        "SLIPWAY_STATE__URL": environment.state.url,
        "SLIPWAY_APPLICATION__CERTIFICATE_ARN": environment.application.certificate_arn,
    }


def test_a_digest_that_is_none_is_a_matter_of_usage(tmp_path: Path) -> None:
    result = slipway("release", "--digest", "latest", PREFECT_HOME=str(tmp_path))
    assert result.returncode == 2
    assert "sha256: and 64 hexadecimal digits" in result.stderr


def test_without_an_address_of_prefect_nothing_is_started(tmp_path: Path) -> None:
    result = slipway("verify", PREFECT_HOME=str(tmp_path))
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == "PREFECT_API_URL is not set: name the Prefect server, as http://host:4200/api.\n"


def test_a_prefect_that_does_not_answer_is_one_sentence(tmp_path: Path) -> None:
    url = "http://127.0.0.1:1/api"
    result = slipway("release", "--digest", DIGEST, PREFECT_HOME=str(tmp_path), PREFECT_API_URL=url)
    assert result.returncode == 4
    assert result.stderr == f"Prefect's server at {url} does not answer. Is it running?\n"


def test_missing_settings_are_named_and_nothing_else(tmp_path: Path) -> None:
    result = slipway("status", PREFECT_HOME=str(tmp_path))
    assert result.returncode == 2
    assert "SLIPWAY_STATE__URL" in result.stderr
    assert "Traceback" not in result.stderr


def test_the_status_tells_of_the_last_releases_newest_first(tmp_path: Path) -> None:
    environment = production(tmp_path / "store")
    with hold_environment(environment, DIGEST, "hash", "first"):
        pass
    release_that_failed(tmp_path / "store")
    result = slipway("status", PREFECT_HOME=str(tmp_path), **settings(tmp_path / "store"))
    free, second, first = result.stdout.splitlines()
    assert (result.returncode, free) == (0, "production is free.")
    assert second.endswith("ROLLED BACK       41 serves all traffic.  (second)")
    assert first.endswith("COMPLETED         (first)")


def test_on_a_terminal_the_status_is_one_line_a_release_and_in_a_file_it_is_whole(tmp_path: Path) -> None:
    release_that_failed(tmp_path / "store", "41 serves all traffic." + " It took long." * 20)
    variables = settings(tmp_path / "store") | {"PREFECT_HOME": str(tmp_path)}
    in_file = slipway("status", **variables)
    on_terminal = slipway("status", **variables, FORCE_COLOR="1", COLUMNS="80")
    assert in_file.stdout.splitlines()[1].count("It took long.") == 20
    assert [len(line) for line in on_terminal.stdout.splitlines()[1:]] == [80]


def test_the_status_for_a_program_keeps_all_of_a_digest_and_the_journal(tmp_path: Path) -> None:
    release_that_failed(tmp_path / "store")
    result = slipway("status", "--json", PREFECT_HOME=str(tmp_path), **settings(tmp_path / "store"))
    (release,) = json.loads(result.stdout)["releases"]
    assert (release["artifact_digest"], release["outcome"]) == (DIGEST, "ROLLED BACK  41 serves all traffic.")
    assert [record["event"] for record in release["journal"]] == ["started", "ended"]


def release_that_failed(store: Path, message: str = "41 serves all traffic.") -> None:
    try:
        with hold_environment(production(store), DIGEST, "hash", "second"):
            raise RolledBack(message)
    except RolledBack:
        return


def test_a_release_under_way_is_asked_to_stop(tmp_path: Path) -> None:
    environment = production(tmp_path / "store")
    variables = settings(tmp_path / "store") | {"PREFECT_HOME": str(tmp_path)}
    with hold_environment(environment, DIGEST, "hash", "long"):
        result = slipway("stop", "--reason", "the database moves.", **variables)
        hold = read_hold(environment)
    assert result.returncode == 0
    assert result.stdout.startswith("Asked to stop: Release 1 of production")
    assert hold
    assert hold.stop
    assert hold.stop.why == "the database moves."


def test_there_is_nothing_to_stop_where_nobody_holds(tmp_path: Path) -> None:
    result = slipway("stop", "--reason", "x", PREFECT_HOME=str(tmp_path), **settings(tmp_path / "store"))
    assert result.returncode == 4
    assert result.stderr == "Nobody holds production: there is nothing to stop.\n"
