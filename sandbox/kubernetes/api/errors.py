"""Errors of the API, answered as objects of kind Status."""

from collections.abc import Sequence
from typing import Any

from sandbox.kubernetes.api.kinds import Kind, Object

Problem = tuple[str, str]
"""A field at fault and what is said of it, which begins with the error's type, as `Required value: ...`."""

_REASONS = {
    "Required value": "FieldValueRequired",
    "Forbidden": "FieldValueForbidden",
    "Not found": "FieldValueNotFound",
    "Duplicate value": "FieldValueDuplicate",
    "Unsupported value": "FieldValueNotSupported",
}


class ApiError(Exception):
    """An answer other than success: its HTTP code, the reason that clients compare, and a sentence."""

    def __init__(self, code: int, reason: str, message: str, details: Object | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details

    def status(self) -> Object:
        told = {"message": self.message, "reason": self.reason, "details": self.details, "code": self.code}
        status: Object = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
        return status | {key: value for key, value in told.items() if value not in ("", None)}


def _details(kind: Kind, name: str, **more: Any) -> Object:
    told = {"name": name, "group": kind.group, "kind": kind.plural, **more}
    return {key: value for key, value in told.items() if value}


def not_found(kind: Kind, name: str) -> ApiError:
    return ApiError(404, "NotFound", f'{kind.resource} "{name}" not found', _details(kind, name))


def no_such_path() -> ApiError:
    return ApiError(404, "NotFound", "the server could not find the requested resource", {})


def already_exists(kind: Kind, name: str) -> ApiError:
    return ApiError(409, "AlreadyExists", f'{kind.resource} "{name}" already exists', _details(kind, name))


def conflict(kind: Kind, name: str, why: str) -> ApiError:
    message = f'Operation cannot be fulfilled on {kind.resource} "{name}": {why}'
    return ApiError(409, "Conflict", message, _details(kind, name))


def modified(kind: Kind, name: str) -> ApiError:
    return conflict(
        kind, name, "the object has been modified; please apply your changes to the latest version and try again"
    )


def invalid(kind: Kind, name: str, *problems: Problem) -> ApiError:
    """422: fields hold what their kind forbids."""
    group_kind = f"{kind.kind}.{kind.group}" if kind.group else kind.kind
    return _invalid(group_kind, name, problems, {"group": kind.group, "kind": kind.kind})


def without_revision(kind: Kind, name: str) -> ApiError:
    """422: a custom kind is replaced only by who says which of its states was read."""
    problem = ("metadata.resourceVersion", "Invalid value: 0: must be specified for an update")
    return _invalid(kind.resource, name, (problem,), {"group": kind.group, "kind": kind.plural})


def invalid_options(options: str, problem: Problem) -> ApiError:
    """422: what the request itself asks for, such as its `PatchOptions`, is not allowed."""
    group = "meta.k8s.io"
    return _invalid(f"{options}.{group}", "", (problem,), {"group": group, "kind": options})


def _invalid(what: str, name: str, problems: Sequence[Problem], details: Object) -> ApiError:
    said = [f"{field}: {why}" for field, why in problems]
    together = said[0] if len(said) == 1 else f"[{', '.join(said)}]"
    causes = [{"reason": _reason(why), "message": why, "field": field} for field, why in problems]
    told = {key: value for key, value in (details | {"name": name}).items() if value}
    return ApiError(422, "Invalid", f'{what} "{name}" is invalid: {together}', {**told, "causes": causes})


def _reason(why: str) -> str:
    if " in body must be of type " in why:
        return "FieldValueTypeInvalid"
    return next((reason for start, reason in _REASONS.items() if why.startswith(start)), "FieldValueInvalid")


def forbidden(kind: Kind, name: str, why: str) -> ApiError:
    return ApiError(403, "Forbidden", f'{kind.resource} "{name}" is forbidden: {why}', _details(kind, name))


def bad_request(message: str) -> ApiError:
    return ApiError(400, "BadRequest", message)


def expired(revision: int, oldest: int) -> ApiError:
    return ApiError(410, "Expired", f"too old resource version: {revision} ({oldest})")


def unauthorized() -> ApiError:
    return ApiError(401, "Unauthorized", "Unauthorized")


def too_large_revision(revision: int, newest: int) -> ApiError:
    causes = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
    message = f"Timeout: Too large resource version: {revision}, current: {newest}"
    return ApiError(504, "Timeout", message, {"causes": causes, "retryAfterSeconds": 1})


def rejected_patch() -> ApiError:
    return ApiError(422, "Invalid", "the server rejected our request due to an error in our request", {})


def untyped(obj: Object, kind: Kind, why: str) -> ApiError:
    """What server-side apply says of a body that is not of its kind's schema: 500, without a reason."""
    metadata = obj.get("metadata") or {}
    name = f"{metadata.get('namespace') or ''}/{metadata.get('name') or ''}"
    version = f"{kind.group}/{kind.version}, Kind={kind.kind}"
    return ApiError(500, "", f"failed to create typed patch object ({name}; {version}): {why}")


def unsupported_media_type(accepted: list[str]) -> ApiError:
    message = f"the body of the request was in an unknown format - accepted media types include: {', '.join(accepted)}"
    return ApiError(415, "UnsupportedMediaType", message)


def method_not_allowed() -> ApiError:
    return ApiError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {})
