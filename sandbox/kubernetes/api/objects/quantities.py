"""Kubernetes quantities such as `500m`, `1Gi` or 2."""

import re
from decimal import Decimal

_QUANTITY = re.compile(r"(?P<number>[0-9]+(\.[0-9]*)?|\.[0-9]+)(?P<suffix>[a-zA-Z]*)")
_DECIMAL = {"m": Decimal("0.001"), "": Decimal(1)}
_DECIMAL |= {suffix: Decimal(1000) ** power for power, suffix in enumerate(("k", "M", "G", "T"), 1)}
_BINARY = {"": Decimal(1)} | {
    suffix: Decimal(1024) ** power for power, suffix in enumerate(("Ki", "Mi", "Gi", "Ti"), 1)
}
FACTORS = _DECIMAL | _BINARY


def parse_quantity(text: object) -> Decimal:
    """The quantity as a number. Raises ValueError for text that is not a quantity."""
    match = _QUANTITY.fullmatch(str(text))
    if match is None or match["suffix"] not in FACTORS:
        raise ValueError(f"{text!r} is not a quantity")
    return Decimal(match["number"]) * FACTORS[match["suffix"]]


def canonical(text: object) -> str:
    """The same amount with the largest suffix that leaves a whole number: `1` for `1000m`, `2Gi` for `2048Mi`.

    Text that is not a quantity is returned unchanged.
    """
    try:
        amount = parse_quantity(text)
    except ValueError:
        return str(text)
    factors = _BINARY if str(text).endswith("i") else _DECIMAL
    fitting = [suffix for suffix, factor in factors.items() if amount % factor == 0]
    return f"{int(amount / factors[fitting[-1]])}{fitting[-1]}" if amount and fitting else str(text) if amount else "0"
