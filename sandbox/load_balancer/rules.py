"""Chooses the rule and the target group of a request."""

import fnmatch
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from sandbox.load_balancer.configuration import Configuration, Document, Listener, Rule


@dataclass(frozen=True)
class RoutedRequest:
    """The parts of a request that conditions check. host: without a port, in lower case."""

    method: str
    host: str
    target: str

    @property
    def path(self) -> str:
        return urlsplit(self.target).path


def choose_rule(configuration: Configuration, protocol: str, request: RoutedRequest) -> tuple[Listener, Rule] | None:
    """The first rule of any load balancer that matches, otherwise a default rule. None if there is no listener.

    All load balancers of a sandbox share one socket, so the rules decide what DNS decides on AWS.
    """
    listeners = [listener for listener in configuration.listeners if listener.protocol == protocol]
    pairs = [(listener, rule) for listener in listeners for rule in listener.rules]
    own = (pair for pair in pairs if not pair[1].is_default and matches(pair[1], request))
    defaults = (pair for pair in pairs if pair[1].is_default)
    return next(own, None) or next(defaults, None)


def matches(rule: Rule, request: RoutedRequest) -> bool:
    return all(is_met(condition, request) for condition in rule.conditions)


def is_met(condition: Document, request: RoutedRequest) -> bool:
    """A condition of an unknown kind is never met, so that no request matches a rule by mistake."""
    field = condition["Field"]
    if field == "host-header":
        return any_matches(values(condition, "HostHeaderConfig"), request.host, ignore_case=True)
    if field == "path-pattern":
        return any_matches(values(condition, "PathPatternConfig"), request.path, ignore_case=False)
    if field == "http-request-method":
        return request.method in values(condition, "HttpRequestMethodConfig")
    return False


def values(condition: Document, key: str) -> list[str]:
    return list(condition.get(key, {}).get("Values") or condition.get("Values") or ())


def any_matches(patterns: Iterable[str], text: str, *, ignore_case: bool) -> bool:
    """As in elbv2, `*` matches any characters and `?` one character. Brackets are plain characters."""
    if ignore_case:
        patterns, text = (pattern.lower() for pattern in patterns), text.lower()
    return any(fnmatch.fnmatchcase(text, pattern.replace("[", "[[]")) for pattern in patterns)


def choose_group(action: Document, chance: random.Random) -> str | None:
    """The ARN of the target group for one request of a forward action. None if all weights are 0.

    The choice is random for each request, so the counts have their natural variance.
    """
    weighted = action.get("ForwardConfig", {}).get("TargetGroups") or [{"TargetGroupArn": action["TargetGroupArn"]}]
    weights = [int(group.get("Weight", 1)) for group in weighted]
    if not any(weights):
        return None
    return chance.choices(weighted, weights)[0]["TargetGroupArn"]


def last_action(actions: Sequence[Document]) -> Document:
    """The action that answers or forwards. The actions before it only authenticate."""
    return max(actions, key=lambda action: int(action.get("Order") or 1))
