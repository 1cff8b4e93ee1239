"""What the sections of an environment's file are made of."""

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds", "ms": "milliseconds"}


def parse_duration(value: Any) -> Any:
    """`90d`, `1h`, `10m`, `5s` or `500ms` as a timedelta; anything else is left to pydantic."""
    found = re.fullmatch(r"(\d+)(ms|[dhms])", value) if isinstance(value, str) else None
    return timedelta(**{UNITS[found[2]]: int(found[1])}) if found else value


Duration = Annotated[timedelta, BeforeValidator(parse_duration), Field(ge=timedelta())]
PositiveDuration = Annotated[Duration, Field(gt=timedelta())]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
Chance = Annotated[float, Field(gt=0.0, lt=1.0)]


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
