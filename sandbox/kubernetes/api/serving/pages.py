"""Lists in pages: `limit`, and the `continue` token that a client sends for the next page."""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from sandbox.kubernetes.api.objects.errors import bad_request, too_large_resource_version
from sandbox.kubernetes.api.objects.kinds import Kind, Object, name_of, namespace_of
from sandbox.kubernetes.api.serving.requests import read_resource_version

VERSION = "meta.k8s.io/v1"


@dataclass(frozen=True)
class Token:
    """A continue token. resource_version: that of the first page; every page shows the list at this version.

    start: namespace and name of the last object of the previous page.
    """

    resource_version: int
    start: tuple[str, str]

    @classmethod
    def read(cls, text: str) -> Self:
        try:
            fields = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
            namespace, _, name = fields["start"].rstrip("\0").rpartition("/")
            return cls(int(fields["rv"]), (namespace, name))
        except (binascii.Error, ValueError, KeyError, TypeError) as error:
            raise bad_request(f"invalid continue token: continue key is not valid: {error}") from error

    def write(self) -> str:
        fields = {"v": VERSION, "rv": self.resource_version, "start": "/".join(self.start) + "\0"}
        return base64.urlsafe_b64encode(json.dumps(fields, separators=(",", ":")).encode()).decode().rstrip("=")


def read_token(query: Mapping[str, str], newest: int) -> Token | None:
    """The continue token of the query, or None for the first page. Raises 400 or 504 for an invalid request."""
    text, resource_version = query.get("continue"), read_resource_version(query)
    if text and query.get("resourceVersion") not in (None, "", "0"):
        raise bad_request("specifying resource version is not allowed when using continue")
    if resource_version is not None and resource_version > newest:
        raise too_large_resource_version(resource_version, newest)
    return Token.read(text) if text else None


def read_limit(query: Mapping[str, str]) -> int:
    """The requested page size; 0 for the whole list."""
    text = query.get("limit") or "0"
    if not text.isdigit():
        raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax')
    return int(text)


def cut_page(
    objects: list[Object], limit: int, token: Token | None, resource_version: int, *, counted: bool
) -> tuple[list[Object], Object]:
    """One page of the objects, and the list's metadata. objects: ordered by namespace and name.

    counted: set remainingItemCount. The API does this only for a list without selectors.
    """
    rest = [obj for obj in objects if token is None or _key(obj) > token.start]
    page, left = (rest[:limit], len(rest) - limit) if limit else (rest, 0)
    metadata: Object = {"resourceVersion": str(resource_version)}
    if left > 0:
        metadata["continue"] = Token(resource_version, _key(page[-1])).write()
        metadata |= {"remainingItemCount": left} if counted else {}
    return page, metadata


def as_list(kind: Kind, objects: list[Object], metadata: Object) -> Object:
    """A list object. In a list of a built-in kind, the items have no apiVersion and no kind."""
    typeless = () if kind.is_custom else ("apiVersion", "kind")
    items = [{field: value for field, value in obj.items() if field not in typeless} for obj in objects]
    return {"apiVersion": kind.group_version, "kind": f"{kind.kind}List", "metadata": metadata, "items": items}


def _key(obj: Object) -> tuple[str, str]:
    return namespace_of(obj), name_of(obj)
