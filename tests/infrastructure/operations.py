"""The AWS operations that the clients call, read from their source code."""

import ast
from collections.abc import Iterator
from pathlib import Path

from botocore import xform_name
from botocore.loaders import Loader

from tests.infrastructure.assembly import ROOT

# If the prefix in a policy is not the name of the boto3 client.
PREFIXES = {"elbv2": "elasticloadbalancing"}
# The object store does not use boto3.
STORE_ACTIONS = {"put": "s3:PutObject", "get": "s3:GetObject", "list": "s3:ListBucket"}


def list_actions() -> set[str]:
    """All actions that the calls in clients/ need, as in a policy."""
    return {action for path in (ROOT / "clients").rglob("*.py") for action in actions_of(path)}


def actions_of(path: Path) -> Iterator[str]:
    """The operations of the services that a file names, as far as their names are words in the file."""
    tree = ast.parse(path.read_text("utf-8"))
    words = {word for node in ast.walk(tree) for word in words_of(node)}
    for service in services_of(tree):
        operations = Loader().load_service_model(service, "service-2")["operations"]
        yield from (f"{PREFIXES.get(service, service)}:{name}" for name in operations if xform_name(name) in words)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "obstore":
            yield from (action for word, action in STORE_ACTIONS.items() if node.attr.startswith(word))


def services_of(tree: ast.AST) -> set[str]:
    """The first argument of each aws_client(...)."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    named = [call.args[0] for call in calls if isinstance(call.func, ast.Name) and call.func.id == "aws_client"]
    return {str(argument.value) for argument in named if isinstance(argument, ast.Constant)}


def words_of(node: ast.AST) -> Iterator[str]:
    """Names of called methods, and strings: the operation of a paginator is a string."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        yield node.func.attr
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
