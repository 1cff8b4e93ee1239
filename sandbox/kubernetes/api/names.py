"""Which names, labels and keys the API takes, and what it says of the others."""

import json
import re
from collections.abc import Iterator

from sandbox.kubernetes.api.errors import Problem
from sandbox.kubernetes.api.kinds import NAMESPACES, SERVICES, Kind, Object

_ENDS = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
)
_SUBDOMAIN = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
_LABEL_NAME = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SERVICE_NAME = r"[a-z]([-a-z0-9]*[a-z0-9])?"
_QUALIFIED = r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_VALUE = r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?"
_KEY = r"[-._a-zA-Z0-9]+"


def name_problem(kind: Kind, name: str) -> Iterator[Problem]:
    """An object's name is a subdomain, a namespace's a label of one, a Service's such a label that begins a letter."""
    if not name:
        yield "metadata.name", "Required value: name or generateName is required"
        return
    pattern, longest, said = _name_rule(kind)
    if len(name) > longest:
        yield "metadata.name", f"Invalid value: {json.dumps(name)}: must be no more than {longest} characters"
    elif not re.fullmatch(pattern, name):
        yield "metadata.name", f"Invalid value: {json.dumps(name)}: {said}, regex used for validation is '{pattern}')"


def label_problems(metadata: Object, path: str) -> Iterator[Problem]:
    """path: of the object whose metadata it is."""
    for key, value in (metadata.get("labels") or {}).items():
        if why := _wrong_label_key(key) or _wrong_label_value(value):
            yield f"{path}.labels", why


def wrong_key(key: str) -> str | None:
    """What is said of a key that neither a ConfigMap nor a Secret takes."""
    if re.fullmatch(_KEY, key):
        return None
    said = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"
    examples = "(e.g. 'key.name',  or 'KEY_NAME',  or 'key-name'"
    return f"Invalid value: {json.dumps(key)}: {said} {examples}, regex used for validation is '{_KEY}')"


def _name_rule(kind: Kind) -> tuple[str, int, str]:
    if kind is SERVICES:
        said = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
        return (
            _SERVICE_NAME,
            63,
            said + "character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123'",
        )
    if kind is NAMESPACES:
        said = (
            "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and "
        )
        return _LABEL_NAME, 63, said + "end with an alphanumeric character (e.g. 'my-name',  or '123-abc'"
    said = (
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start "
    )
    return _SUBDOMAIN, 253, said + "and end with an alphanumeric character (e.g. 'example.com'"


def _wrong_label_key(key: str) -> str | None:
    prefix, _, name = key.rpartition("/")
    if re.fullmatch(_QUALIFIED, name) and len(name) <= 63 and (not prefix or re.fullmatch(_SUBDOMAIN, prefix)):
        return None
    examples = "(e.g. 'MyName',  or 'my.name',  or '123-abc'"
    return (
        f"Invalid value: {json.dumps(key)}: name part {_ENDS} {examples}, regex used for validation is '{_QUALIFIED}')"
    )


def _wrong_label_value(value: str) -> str | None:
    if re.fullmatch(_VALUE, value) and len(value) <= 63:
        return None
    said = f"a valid label must be an empty string or {_ENDS.removeprefix('must ')}"
    examples = "(e.g. 'MyValue',  or 'my_value',  or '12345'"
    return f"Invalid value: {json.dumps(value)}: {said} {examples}, regex used for validation is '{_VALUE}')"
