"""The context values of one synthesis."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any

NAME = re.compile(r"[a-z][a-z0-9-]*[a-z0-9]")
# The longest names made of the prefix are the cache's (40 characters) and the X-Ray group's (32).
LONGEST_PREFIX = 32


class ContextError(ValueError):
    """The context lacks a value or contains one that cannot be built; nothing was synthesised."""


@dataclass(frozen=True)
class Parameters:
    """One environment of one project."""

    project: str
    environment: str
    kubernetes_api_cidrs: tuple[str, ...]

    @property
    def prefix(self) -> str:
        """What the names of the environment's resources begin with."""
        return f"{self.project}-{self.environment}"

    @property
    def metric_namespace(self) -> str:
        """Where the application publishes its metrics (guide, "Automated Deployment Verification")."""
        return f"GenAI/Demo/{self.environment}"

    def path(self, name: str) -> str:
        """Where a value is handed from one stack to the next in the parameter store."""
        return f"/{self.project}/{self.environment}/{name}"


def read_parameters(context: Callable[[str], Any]) -> Parameters:
    """The parameters in a context; raises ContextError.

    context: answers a key's value, or None.
    """
    project, environment = read_name(context, "projectName"), read_name(context, "environment")
    if len(f"{project}-{environment}") > LONGEST_PREFIX:
        raise ContextError(f"'{project}-{environment}' is longer than {LONGEST_PREFIX} characters. Shorten a name.")
    return Parameters(project, environment, read_networks(context, "kubernetesApiCidrs"))


def read_name(context: Callable[[str], Any], key: str) -> str:
    """A lower-case name with dashes."""
    value = context(key)
    if not isinstance(value, str) or not NAME.fullmatch(value):
        raise ContextError(f"{key}: {value!r} is no lower-case name. Pass --context {key}=NAME or set it in cdk.json.")
    return value


def read_networks(context: Callable[[str], Any], key: str) -> tuple[str, ...]:
    """Networks in CIDR form, at least one, none of them the whole internet; a list or comma-separated."""
    value = context(key) or []
    networks = tuple(value.split(",") if isinstance(value, str) else value)
    if not networks:
        raise ContextError(f"{key} names no network. List those that may reach the Kubernetes API.")
    for network in networks:
        check_network(key, network)
    return networks


def check_network(key: str, network: str) -> None:
    """Raise ContextError unless the network is well formed and a part of the internet only."""
    try:
        prefix_length = ip_network(network).prefixlen
    except ValueError as error:
        raise ContextError(f"{key}: {error}. Write it as 203.0.113.0/24.") from error
    if prefix_length == 0:
        raise ContextError(
            f"{key}: {network} allows every address. List the networks that may reach the Kubernetes API."
        )
