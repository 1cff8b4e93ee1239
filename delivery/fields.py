"""The base class and the field types of an environment's settings."""

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds", "ms": "milliseconds"}


def parse_duration(value: Any) -> Any:
    """`90d`, `1h`, `10m`, `5s` or `500ms` as a timedelta. Pydantic parses everything else."""
    found = re.fullmatch(r"(\d+)(ms|[dhms])", value) if isinstance(value, str) else None
    return timedelta(**{UNITS[found[2]]: int(found[1])}) if found else value


def format_duration(value: timedelta) -> str:
    """`1h30m`, `2m`, `45s` or `500ms`, rounded to milliseconds; `0s` for less."""
    rest = timedelta(milliseconds=round(value / timedelta(milliseconds=1)))
    text = ""
    for unit, name in UNITS.items():
        count, rest = divmod(rest, timedelta(**{name: 1}))
        text += f"{count}{unit}" if count else ""
    return text or "0s"


Duration = Annotated[timedelta, BeforeValidator(parse_duration), Field(ge=timedelta())]
PositiveDuration = Annotated[Duration, Field(gt=timedelta())]
Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Probability = Annotated[float, Field(gt=0.0, lt=1.0)]


class Section(BaseModel):
    """A table of an environment's file. The docstrings of its fields are in docs/settings.md."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, use_attribute_docstrings=True)
