"""The names, labels and keys that the API accepts, and the error messages for all others."""

import json
import re
from collections.abc import Iterator

from sandbox.kubernetes.api.objects.errors import Problem
from sandbox.kubernetes.api.objects.kinds import NAMESPACES, SERVICES, Kind, Object

_ENDS = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
)
_SUBDOMAIN = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
_LABEL_NAME = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SERVICE_NAME = r"[a-z]([-a-z0-9]*[a-z0-9])?"
_QUALIFIED = r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_VALUE = r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?"
_KEY = r"[-._a-zA-Z0-9]+"


def name_problems(kind: Kind, name: str) -> Iterator[Problem]:
    """The name must be a DNS subdomain: for a namespace one DNS label, for a Service one that starts with a letter."""
    if not name:
        yield "metadata.name", "Required value: name or generateName is required"
        return
    pattern, longest, rule = _name_rule(kind)
    if len(name) > longest:
        yield "metadata.name", f"Invalid value: {json.dumps(name)}: must be no more than {longest} characters"
    elif not re.fullmatch(pattern, name):
        yield "metadata.name", f"Invalid value: {json.dumps(name)}: {rule}, regex used for validation is '{pattern}')"


def label_problems(metadata: Object, path: str) -> Iterator[Problem]:
    """path: of the object that has this metadata."""
    for key, value in (metadata.get("labels") or {}).items():
        if why := _wrong_label_key(key) or _wrong_label_value(value):
            yield f"{path}.labels", why


def data_key_problem(key: str) -> str | None:
    """The error message for a key that is not allowed in a ConfigMap or a Secret; None for a valid key."""
    if re.fullmatch(_KEY, key):
        return None
    rule = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"
    examples = "(e.g. 'key.name',  or 'KEY_NAME',  or 'key-name'"
    return f"Invalid value: {json.dumps(key)}: {rule} {examples}, regex used for validation is '{_KEY}')"


def _name_rule(kind: Kind) -> tuple[str, int, str]:
    if kind is SERVICES:
        rule = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
        return (
            _SERVICE_NAME,
            63,
            rule + "character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123'",
        )
    if kind is NAMESPACES:
        rule = (
            "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and "
        )
        return _LABEL_NAME, 63, rule + "end with an alphanumeric character (e.g. 'my-name',  or '123-abc'"
    rule = (
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start "
    )
    return _SUBDOMAIN, 253, rule + "and end with an alphanumeric character (e.g. 'example.com'"


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
    rule = f"a valid label must be an empty string or {_ENDS.removeprefix('must ')}"
    examples = "(e.g. 'MyValue',  or 'my_value',  or '12345'"
    return f"Invalid value: {json.dumps(value)}: {rule} {examples}, regex used for validation is '{_VALUE}')"
