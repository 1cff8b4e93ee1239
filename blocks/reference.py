"""docs/settings.md: the reference of all settings, made from the docstrings under their fields."""

import inspect
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from types import NoneType
from typing import Any, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from blocks.settings import CHECKOUT, PREFIX
from delivery.environment import Environment

PAGE = CHECKOUT / "docs" / "settings.md"
WIDTH = 120
INTRODUCTION = """\
<!-- `make docs` writes this page from the docstrings of the settings in delivery/. Do not edit it. -->

# Settings

The settings of an environment have three sources. A later source overrides an earlier one key by key; a list is
replaced as a whole.

1. `environments/ENVIRONMENT.toml`; the variable `SLIPWAY_ENVIRONMENTS` names another folder
2. overlays: the TOML files that the variable `SLIPWAY_OVERLAYS` names, separated by colons, in their order
3. variables: `SLIPWAY_SECTION__KEY`, such as `SLIPWAY_LOCK__WAIT`; a list or a table is JSON

No message contains a secret. Set a secret by its variable, which `slipway install` stores in a Secret block of Prefect.
If a key or a variable is missing, unknown or wrong, the message names it, and the run ends `BadSettings` (exit code 2)
before any change. For a name of an earlier version, the message contains the present name.

A duration is a whole number with a unit: `90d`, `1h`, `10m`, `5s` or `500ms`. A key in a list of tables has no variable
of its own. [cli.md](cli.md#variables-of-a-run) says which variables a run gets.
"""
WORDS = {
    str: "text",
    SecretStr: "text, a secret",
    bool: "`true` or `false`",
    int: "whole number",
    float: "number",
    timedelta: "duration such as `2m`",
}
BOUNDS = {"gt": "above", "ge": "at least", "lt": "below", "le": "at most"}


@dataclass(frozen=True)
class Table:
    """A table of the file. path: its keys; empty for the top level. is_entry: whether it is an entry of a list of
    tables. is_in_list: whether it is such an entry, or a table in one.
    """

    model: type[BaseModel]
    path: tuple[str, ...] = ()
    is_entry: bool = False
    is_in_list: bool = False

    @property
    def title(self) -> str:
        name = f"[{'.'.join(self.path)}]"
        return f"`[{name}]`" if self.is_entry else f"`{name}`" if self.path else "Top-level keys"


def render_reference(environment: type[BaseModel]) -> str:
    """The whole page as Markdown. environment: the model of an environment's file."""
    tables = tuple(list_tables(Table(environment)))
    contents = "\n".join(f"{'  ' * (len(table.path) > 1)}* {render_link(table)}" for table in tables)
    return "\n".join([INTRODUCTION, contents, "", "\n\n".join(map(render_table, tables)), ""])


def list_tables(table: Table) -> Iterator[Table]:
    """The table and all tables in it, each before those that it contains."""
    yield table
    for name, field in table.model.model_fields.items():
        kind, is_list = find_kind(field)
        if is_model(kind):
            yield from list_tables(Table(kind, (*table.path, name), is_list, is_list or table.is_in_list))


def find_kind(field: FieldInfo) -> tuple[Any, bool]:
    """The type of the value, or of the entries of a list, and whether it is a list."""
    annotation: Any = field.annotation
    kinds = [kind for kind in get_args(annotation) if kind not in (NoneType, ...)]
    if get_origin(annotation) is dict or not kinds:
        return annotation, False
    return kinds[0], get_origin(annotation) is tuple


def is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def render_link(table: Table) -> str:
    anchor = table.title.lower().replace(" ", "-").translate({ord(sign): None for sign in "`[]."})
    return f"[{table.title}](#{anchor})"


def render_table(table: Table) -> str:
    about = [wrap(paragraph) for paragraph in inspect.cleandoc(table.model.__doc__ or "").split("\n\n")]
    # The sections of the top level have headings of their own.
    fields = [item for item in table.model.model_fields.items() if table.path or not is_model(find_kind(item[1])[0])]
    level = "##" if len(table.path) <= 1 else "###"
    return "\n\n".join([f"{level} {table.title}", *about, *(render_field(table, *item) for item in fields)])


def render_field(table: Table, name: str, field: FieldInfo) -> str:
    facts = [describe_type(field), describe_default(field)]
    if not table.is_in_list:
        facts.append(f"`{PREFIX}{'__'.join((*table.path, name)).upper()}`")
    head = wrap(f"**{name}**: {'; '.join(facts)}", indents=("* ", "  "))
    return f"{head}\n\n{wrap(field.description or '', indents=('  ', '  '))}"


def describe_type(field: FieldInfo) -> str:
    kind, is_list = find_kind(field)
    if is_list:
        return "list of tables" if is_model(kind) else "list of texts"
    if is_model(kind) or get_origin(kind) is dict:
        return "table"
    if issubclass(kind, Enum):
        return f"one of {' | '.join(f'`{member.value}`' for member in kind)}"
    return ", ".join([WORDS[kind], *describe_bounds(field.metadata)])


def describe_bounds(metadata: Sequence[Any]) -> Iterator[str]:
    """`above 0.0 and below 1.0`; nothing if there is no bound."""
    found = [(name, getattr(item, name)) for item in metadata for name in BOUNDS if hasattr(item, name)]
    # A duration is never negative, so that bound says nothing.
    bounds = [f"{BOUNDS[name]} {show(value)}" for name, value in found if (name, value) != ("ge", timedelta())]
    if bounds:
        yield " and ".join(bounds)


def show(value: Any) -> str:
    return f"`{value.total_seconds():g}s`" if isinstance(value, timedelta) else str(value)


def describe_default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    default = field.get_default(call_default_factory=True, validated_data={})
    if default is None:
        return "optional"
    if isinstance(default, bool):
        return f"default `{str(default).lower()}`"
    return f"default `{default}`" if default else "default: empty"


def wrap(text: str, *, indents: tuple[str, str] = ("", "")) -> str:
    """indents: of the first line and of the others."""
    first, other = indents
    return textwrap.fill(
        text, WIDTH, initial_indent=first, subsequent_indent=other, break_long_words=False, break_on_hyphens=False
    )


def main() -> None:
    """Write the page."""
    PAGE.write_text(render_reference(Environment))


if __name__ == "__main__":
    main()
