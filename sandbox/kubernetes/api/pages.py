"""Lists in pages: `limit`, and the token that a client hands back as `continue` for what follows."""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from sandbox.kubernetes.api.errors import bad_request, too_large_revision
from sandbox.kubernetes.api.kinds import Kind, Object, name_of, namespace_of
from sandbox.kubernetes.api.requests import read_revision

VERSION = "meta.k8s.io/v1"


@dataclass(frozen=True)
class Token:
    """Where a list goes on. revision: of its first page, which all its pages show."""

    revision: int
    start: tuple[str, str]

    @classmethod
    def read(cls, text: str) -> Self:
        try:
            told = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
            namespace, _, name = told["start"].rstrip("\0").rpartition("/")
            return cls(int(told["rv"]), (namespace, name))
        except (binascii.Error, ValueError, KeyError, TypeError) as error:
            raise bad_request(f"invalid continue token: continue key is not valid: {error}") from error

    def write(self) -> str:
        told = {"v": VERSION, "rv": self.revision, "start": "/".join(self.start) + "\0"}
        return base64.urlsafe_b64encode(json.dumps(told, separators=(",", ":")).encode()).decode().rstrip("=")


def read_token(query: Mapping[str, str], newest: int) -> Token | None:
    """Where the list goes on, None for one from its beginning. Raises 4xx or 504 for what cannot be listed."""
    text, revision = query.get("continue"), read_revision(query)
    if text and query.get("resourceVersion") not in (None, "", "0"):
        raise bad_request("specifying resource version is not allowed when using continue")
    if revision is not None and revision > newest:
        raise too_large_revision(revision, newest)
    return Token.read(text) if text else None


def read_limit(query: Mapping[str, str]) -> int:
    """The longest page that is wanted; 0 for the whole list."""
    text = query.get("limit") or "0"
    if not text.isdigit():
        raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax')
    return int(text)


def cut_page(
    objects: list[Object], limit: int, token: Token | None, revision: int, *, counted: bool
) -> tuple[list[Object], Object]:
    """The page of the objects, by namespace and name, and the list's metadata.

    counted: say how many are left, which the API does only where no selector chose the objects.
    """
    rest = [obj for obj in objects if token is None or _key(obj) > token.start]
    page, left = (rest[:limit], len(rest) - limit) if limit else (rest, 0)
    metadata: Object = {"resourceVersion": str(revision)}
    if left > 0:
        metadata["continue"] = Token(revision, _key(page[-1])).write()
        metadata |= {"remainingItemCount": left} if counted else {}
    return page, metadata


def as_list(kind: Kind, objects: list[Object], metadata: Object) -> Object:
    """A list of a built-in kind says once, for all its items, what they are."""
    typeless = () if kind.is_custom else ("apiVersion", "kind")
    items = [{field: value for field, value in obj.items() if field not in typeless} for obj in objects]
    return {"apiVersion": kind.group_version, "kind": f"{kind.kind}List", "metadata": metadata, "items": items}


def _key(obj: Object) -> tuple[str, str]:
    return namespace_of(obj), name_of(obj)
