"""Which operations of AWS the product's clients ask for, read from their source."""

import ast
from collections.abc import Iterator
from pathlib import Path

from botocore import xform_name
from botocore.loaders import Loader

from tests.infrastructure.assembly import ROOT

# Where a policy's prefix is not the name of boto3's client.
PREFIXES = {"elbv2": "elasticloadbalancing"}
# The object store is not spoken to by boto3.
STORE_ACTIONS = {"put": "s3:PutObject", "get": "s3:GetObject", "list": "s3:ListBucket"}


def list_actions() -> set[str]:
    """Every action that a call in clients/ needs, as policies write it."""
    return {action for path in (ROOT / "clients").glob("*.py") for action in actions_of(path)}


def actions_of(path: Path) -> Iterator[str]:
    """By the services that a file names and the words in it that are operations of theirs."""
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
    """What is called on something, and texts: a paginator's operation is one."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        yield node.func.attr
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
