"""Which rule a request falls under and which target group it goes to."""

import fnmatch
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from sandbox.load_balancer.configuration import Configuration, Document, Listener, Rule


@dataclass(frozen=True)
class Asked:
    """What conditions look at. host: without a port, in lower case."""

    method: str
    host: str
    target: str

    @property
    def path(self) -> str:
        return urlsplit(self.target).path


def choose_rule(configuration: Configuration, protocol: str, asked: Asked) -> tuple[Listener, Rule] | None:
    """The first rule that matches, of any load balancer; defaults only where none does. None without a listener.

    All load balancers of a sandbox share one socket, so that here the rules decide what a name in DNS would.
    """
    listeners = [listener for listener in configuration.listeners if listener.protocol == protocol]
    pairs = [(listener, rule) for listener in listeners for rule in listener.rules]
    own = (pair for pair in pairs if not pair[1].is_default and matches(pair[1], asked))
    defaults = (pair for pair in pairs if pair[1].is_default)
    return next(own, None) or next(defaults, None)


def matches(rule: Rule, asked: Asked) -> bool:
    return all(condition_holds(condition, asked) for condition in rule.conditions)


def condition_holds(condition: Document, asked: Asked) -> bool:
    """A condition of a kind that is not known holds never, so that no request takes a rule by mistake."""
    field = condition["Field"]
    if field == "host-header":
        return any_matches(values(condition, "HostHeaderConfig"), asked.host, ignore_case=True)
    if field == "path-pattern":
        return any_matches(values(condition, "PathPatternConfig"), asked.path, ignore_case=False)
    if field == "http-request-method":
        return asked.method in values(condition, "HttpRequestMethodConfig")
    return False


def values(condition: Document, key: str) -> list[str]:
    return list(condition.get(key, {}).get("Values") or condition.get("Values") or ())


def any_matches(patterns: Iterable[str], text: str, *, ignore_case: bool) -> bool:
    """`*` stands for any characters and `?` for one, as in elbv2; brackets are plain characters there."""
    if ignore_case:
        patterns, text = (pattern.lower() for pattern in patterns), text.lower()
    return any(fnmatch.fnmatchcase(text, pattern.replace("[", "[[]")) for pattern in patterns)


def choose_group(action: Document, chance: random.Random) -> str | None:
    """ARN of the target group a forward action gives this one request to; None where all weights are 0.

    Each request is decided on its own, so that a share shows in the counts with its natural scatter.
    """
    weighted = action.get("ForwardConfig", {}).get("TargetGroups") or [{"TargetGroupArn": action["TargetGroupArn"]}]
    weights = [int(group.get("Weight", 1)) for group in weighted]
    if not any(weights):
        return None
    return chance.choices(weighted, weights)[0]["TargetGroupArn"]


def last_action(actions: Sequence[Document]) -> Document:
    """The action that answers or forwards; what stands before it only authenticates."""
    return max(actions, key=lambda action: int(action.get("Order") or 1))
