"""Maps methods and paths to operations, with botocore's descriptions of the REST services."""

import functools
import re
import urllib.parse
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import UnknownServiceError
from botocore.loaders import Loader

# Signing names that differ from the name of botocore's description.
DESCRIPTIONS = {"monitoring": "cloudwatch", "elasticloadbalancing": "elbv2"}
PARAMETER = re.compile(r"\{([^}+]+)(\+?)\}")


@dataclass(frozen=True)
class Route:
    """One operation of a REST service. `query` and `headers` distinguish it from others on the same path."""

    operation: str
    method: str
    path: re.Pattern[str]
    query: frozenset[str]
    headers: frozenset[str]
    literal_length: int

    @property
    def specificity(self) -> tuple[int, int]:
        return len(self.query) + len(self.headers), self.literal_length

    def matches(self, method: str, path: str, query: set[str], headers: set[str]) -> bool:
        has_markers = self.query <= query and self.headers <= headers
        return self.method == method and has_markers and self.path.fullmatch(path) is not None


@functools.cache
def routes_of(service: str) -> tuple[Route, ...]:
    """The routes of the service, the most specific first. Empty if botocore does not know the signing name."""
    try:
        description = Loader().load_service_model(DESCRIPTIONS.get(service, service), "service-2")
    except UnknownServiceError:
        return ()
    routes = [_route(name, description) for name in description["operations"]]
    return tuple(sorted(routes, key=lambda route: route.specificity, reverse=True))


def _route(name: str, description: dict[str, Any]) -> Route:
    operation = description["operations"][name]
    uri, _, flags = operation["http"]["requestUri"].partition("?")
    shape = description["shapes"][operation["input"]["shape"]] if "input" in operation else {}
    required = [shape["members"][member] for member in shape.get("required", [])]
    query = _named(required, "querystring") | set(urllib.parse.parse_qs(flags, keep_blank_values=True))
    headers = frozenset(name.lower() for name in _named(required, "header"))
    literals = PARAMETER.split(uri)[::3]
    parameters = [_segment(found) for found in PARAMETER.finditer(uri)]
    pattern = "".join(re.escape(text) + segment for text, segment in zip(literals, [*parameters, ""], strict=True))
    method, length = operation["http"]["method"], len("".join(literals))
    return Route(name, method, re.compile(pattern), frozenset(query), headers, length)


def _named(members: list[dict[str, Any]], location: str) -> set[str]:
    return {member["locationName"] for member in members if member.get("location") == location}


def _segment(parameter: re.Match[str]) -> str:
    """An ARN and a `{Key+}` contain slashes, which are already decoded here."""
    is_greedy = parameter.group(2) or "arn" in parameter.group(1).lower()
    return ".+" if is_greedy else "[^/]+"
