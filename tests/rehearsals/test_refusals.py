"""What is refused before anything is changed: counted at the AWS API and in the store."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.rehearsals.rehearsal import Ending, Rehearsal

pytestmark = pytest.mark.rehearsal


@contextmanager
def untouched(rehearsal: Rehearsal) -> Iterator[None]:
    """Within the block no change set is created, and nothing is written to the store."""
    before = stored(rehearsal)
    with rehearsal.counting("cloudformation:CreateChangeSet") as change_sets:
        yield
    assert change_sets == []
    assert stored(rehearsal) == before


def stored(rehearsal: Rehearsal) -> set[Path]:
    return set((rehearsal.sandbox.state / "store").rglob("*"))


def release_with(rehearsal: Rehearsal, digest: str, **settings: str) -> Ending:
    with rehearsal.installed_with(**settings), untouched(rehearsal):
        return rehearsal.release(digest)


def release_over(rehearsal: Rehearsal, overlay: Path, content: str) -> Ending:
    overlay.write_text(content)
    overlays = f"{rehearsal.environ['SLIPWAY_OVERLAYS']}:{overlay}"
    return release_with(rehearsal, rehearsal.push("first"), SLIPWAY_OVERLAYS=overlays)


def test_a_digest_that_does_not_exist_is_refused_in_the_plan(empty: Rehearsal) -> None:
    unknown = f"sha256:{'0' * 64}"
    with untouched(empty):
        ended = empty.release(unknown)
    assert ended.exit_code == 3
    assert ended.sentence == (
        "REFUSED  The image repository genai-demo/backend in us-east-1 does not contain sha256:000000000000…. "
        "Push the image, or use another digest. Nothing was changed."
    )


def test_a_release_into_another_account_is_refused_in_the_plan(empty: Rehearsal) -> None:
    ended = release_with(empty, empty.push("first"), SLIPWAY_AWS__ACCOUNT_ID="999999999999")
    assert ended.exit_code == 3
    assert ended.sentence == (
        "REFUSED  The AWS credentials belong to account 123456789012, but production is in account 999999999999. "
        "Use credentials of account 999999999999. Nothing was changed."
    )


def test_settings_that_are_no_toml_are_named_with_file_and_line(empty: Rehearsal, tmp_path: Path) -> None:
    ended = release_over(empty, tmp_path / "broken.toml", "[canary\npause = 3")
    assert ended.exit_code == 2
    assert ended.sentence.startswith(f"BAD SETTINGS  {tmp_path / 'broken.toml'}: Expected ']'")
    assert "(at line 1, column 8). Nothing was started. Fix these settings and try again." in ended.sentence


def test_a_setting_that_is_none_is_named_with_its_file(empty: Rehearsal, tmp_path: Path) -> None:
    ended = release_over(empty, tmp_path / "unknown.toml", '[canary]\npuase = "3s"')
    assert ended.exit_code == 2
    assert ended.output.endswith(
        f"BAD SETTINGS  {tmp_path / 'unknown.toml'}: canary.puase is not a setting.\n"
        "Nothing was started. Fix these settings and try again.\n"
    )
