"""docs/settings.md, as `make docs` writes it."""

import pytest
from pydantic.fields import FieldInfo

from blocks.reference import PAGE, Table, list_tables, render_reference
from delivery.environment import Environment

TABLES = tuple(list_tables(Table(Environment)))
FIELDS = [
    pytest.param(table, name, field, id=".".join((*table.path, name)))
    for table in TABLES
    for name, field in table.model.model_fields.items()
]


@pytest.fixture(scope="module")
def page() -> str:
    return render_reference(Environment)


def entry(page: str, heading: str, key: str) -> str:
    """The first line of a key below a heading."""
    section = page.partition(f"# `{heading}`\n")[2].partition("\n#")[0]
    return next(line for line in section.splitlines() if line.startswith(f"* **{key}**"))


def test_the_committed_page_is_what_make_docs_writes(page: str) -> None:
    assert PAGE.read_text() == page, "docs/settings.md does not match the docstrings of the settings. Run: make docs"


@pytest.mark.parametrize(("table", "name", "field"), FIELDS)
def test_every_setting_has_a_docstring(table: Table, name: str, field: FieldInfo) -> None:
    """A section at the top level has the docstring of its class."""
    section = (*table.path, name)
    described = next((found.model.__doc__ for found in TABLES if found.path == section), None)
    docstring = field.description or described
    assert docstring, f"Write a docstring under {'.'.join(section)} that says what it means."
    assert docstring.rstrip().endswith(".")


@pytest.mark.parametrize(
    ("heading", "key", "line"),
    [
        ("[canary]", "pause", "duration such as `2m`, above `0s`; required; `SLIPWAY_CANARY__PAUSE`"),
        ("[canary]", "alpha", "number, above 0.0 and below 1.0; required; `SLIPWAY_CANARY__ALPHA`"),
        ("[canary]", "minimum_detectable_effect", "table; required; `SLIPWAY_CANARY__MINIMUM_DETECTABLE_EFFECT`"),
        ("[topics]", "by", "one of `msk-api` | `kafka`; required; `SLIPWAY_TOPICS__BY`"),
        ("[topics]", "broker_security", "one of `iam` | `plaintext`; default `iam`; `SLIPWAY_TOPICS__BROKER_SECURITY`"),
        ("[topics]", "specified", "list of tables; required; `SLIPWAY_TOPICS__SPECIFIED`"),
        ("[notices]", "webhook_url", "text, a secret; optional; `SLIPWAY_NOTICES__WEBHOOK_URL`"),
    ],
)
def test_a_key_states_its_type_its_default_and_its_variable(page: str, heading: str, key: str, line: str) -> None:
    assert entry(page, heading, key) == f"* **{key}**: {line}"


@pytest.mark.parametrize(
    ("heading", "key", "line"),
    [
        ("[[topics.specified]]", "partitions", "whole number, at least 1; required"),
        ("[[addons.wanted]]", "definitions", "list of texts; default: empty"),
        ("[[addons.wanted]]", "is_required", "`true` or `false`; default `true`"),
        ("[addons.wanted.manifest]", "url", "text; required"),
    ],
)
def test_a_key_in_a_list_of_tables_has_no_variable(page: str, heading: str, key: str, line: str) -> None:
    assert entry(page, heading, key) == f"* **{key}**: {line}"


def test_no_line_is_too_long_for_a_terminal(page: str) -> None:
    assert [line for line in page.splitlines() if len(line) > 120] == []
