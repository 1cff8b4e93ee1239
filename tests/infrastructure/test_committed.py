"""How a synthesized assembly becomes the committed one."""

from pathlib import Path

import pytest

from infrastructure.cdk.committed import AccountNeeded, compare, list_templates, strip_manifest, write

STACK = {"type": "aws:cloudformation:stack", "properties": {"templateFile": "A.template.json"}}


def test_a_committed_manifest_has_the_stacks_without_their_metadata() -> None:
    artifacts = {"A": STACK | {"additionalMetadataFile": "A.metadata.json"}, "Tree": {"type": "cdk:tree"}}
    assert strip_manifest({"version": "55.0.0", "artifacts": artifacts}) == {
        "version": "55.0.0",
        "artifacts": {"A": STACK},
    }


def test_an_app_that_needs_values_of_an_account_is_refused() -> None:
    with pytest.raises(AccountNeeded, match="availability-zones"):
        strip_manifest({"artifacts": {"A": STACK}, "missing": [{"provider": "availability-zones"}]})


def test_the_templates_are_in_the_order_of_the_stacks() -> None:
    other = {"type": "aws:cloudformation:stack", "properties": {"templateFile": "0.template.json"}}
    assert list_templates({"artifacts": {"A": STACK, "B": other}}) == ["A.template.json", "0.template.json"]


def test_an_assembly_that_was_just_written_has_no_difference(tmp_path: Path) -> None:
    write({"manifest.json": "{}\n"}, tmp_path / "production")
    assert compare({"manifest.json": "{}\n"}, tmp_path / "production") == ""


def test_a_changed_line_is_shown_before_and_after(tmp_path: Path) -> None:
    write({"manifest.json": "old\n"}, tmp_path)
    difference = compare({"manifest.json": "new\n"}, tmp_path).splitlines()
    assert {"-old", "+new"} <= set(difference)


def test_a_missing_file_and_an_extra_file_are_differences(tmp_path: Path) -> None:
    write({"left-over.json": "old\n"}, tmp_path)
    difference = compare({"missing.json": "new\n"}, tmp_path)
    assert "-old" in difference
    assert "+new" in difference


def test_writing_deletes_files_that_the_assembly_no_longer_has(tmp_path: Path) -> None:
    write({"old.json": ""}, tmp_path)
    write({"new.json": ""}, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["new.json"]
