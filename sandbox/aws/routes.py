"""Which path and method is which operation, read from botocore's own descriptions of the REST services."""

import functools
import re
import urllib.parse
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import UnknownServiceError
from botocore.loaders import Loader

# Where the name in the signature is not the name of botocore's description.
DESCRIPTIONS = {"monitoring": "cloudwatch", "elasticloadbalancing": "elbv2"}
PARAMETER = re.compile(r"\{([^}+]+)(\+?)\}")


@dataclass(frozen=True)
class Route:
    """One operation of a REST service; `query` are the parameters that tell it from others on the same path."""

    operation: str
    method: str
    path: re.Pattern[str]
    query: frozenset[str]
    literal_length: int

    def matches(self, method: str, path: str, query: set[str]) -> bool:
        return self.method == method and self.query <= query and self.path.fullmatch(path) is not None


@functools.cache
def routes_of(service: str) -> tuple[Route, ...]:
    """The service's routes, the narrowest first; none when botocore does not know the signing name."""
    try:
        description = Loader().load_service_model(DESCRIPTIONS.get(service, service), "service-2")
    except UnknownServiceError:
        return ()
    routes = [_route(name, description) for name in description["operations"]]
    return tuple(sorted(routes, key=lambda route: (-len(route.query), -route.literal_length)))


def _route(name: str, description: dict[str, Any]) -> Route:
    operation = description["operations"][name]
    uri, _, flags = operation["http"]["requestUri"].partition("?")
    shape = description["shapes"][operation["input"]["shape"]] if "input" in operation else {}
    required = [shape["members"][member] for member in shape.get("required", [])]
    query = {member["locationName"] for member in required if member.get("location") == "querystring"}
    query |= set(urllib.parse.parse_qs(flags, keep_blank_values=True))
    literals = PARAMETER.split(uri)[::3]
    parameters = [_segment(found) for found in PARAMETER.finditer(uri)]
    pattern = "".join(re.escape(text) + segment for text, segment in zip(literals, [*parameters, ""], strict=True))
    return Route(name, operation["http"]["method"], re.compile(pattern), frozenset(query), len("".join(literals)))


def _segment(parameter: re.Match[str]) -> str:
    """An ARN and a `{Key+}` hold slashes, which arrive here already decoded."""
    is_greedy = parameter.group(2) or "arn" in parameter.group(1).lower()
    return ".+" if is_greedy else "[^/]+"
