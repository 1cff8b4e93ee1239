"""Errors of the API, which the server returns as objects of kind Status."""

from collections.abc import Sequence
from typing import Any

from sandbox.kubernetes.api.objects.kinds import Kind, Object

Problem = tuple[str, str]
"""An invalid field and its error message, which starts with the error's type, such as `Required value: ...`."""

_REASONS = {
    "Required value": "FieldValueRequired",
    "Forbidden": "FieldValueForbidden",
    "Not found": "FieldValueNotFound",
    "Duplicate value": "FieldValueDuplicate",
    "Unsupported value": "FieldValueNotSupported",
}


class ApiError(Exception):
    """A response other than success. reason: what clients compare. message: one sentence for people."""

    def __init__(self, code: int, reason: str, message: str, details: Object | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details

    def status(self) -> Object:
        fields = {"message": self.message, "reason": self.reason, "details": self.details, "code": self.code}
        status: Object = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
        return status | {key: value for key, value in fields.items() if value not in ("", None)}


def _details(kind: Kind, name: str, **more: Any) -> Object:
    details = {"name": name, "group": kind.group, "kind": kind.plural, **more}
    return {key: value for key, value in details.items() if value}


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
    """422: fields have values that their kind does not allow."""
    group_kind = f"{kind.kind}.{kind.group}" if kind.group else kind.kind
    return _invalid(group_kind, name, problems, {"group": kind.group, "kind": kind.kind})


def missing_resource_version(kind: Kind, name: str) -> ApiError:
    """422: a PUT of a custom kind must contain the resourceVersion that the client read."""
    problem = ("metadata.resourceVersion", "Invalid value: 0: must be specified for an update")
    return _invalid(kind.resource, name, (problem,), {"group": kind.group, "kind": kind.plural})


def invalid_options(options: str, problem: Problem) -> ApiError:
    """422: an option of the request, such as one of its `PatchOptions`, is not allowed."""
    group = "meta.k8s.io"
    return _invalid(f"{options}.{group}", "", (problem,), {"group": group, "kind": options})


def _invalid(what: str, name: str, problems: Sequence[Problem], details: Object) -> ApiError:
    messages = [f"{field}: {why}" for field, why in problems]
    combined = messages[0] if len(messages) == 1 else f"[{', '.join(messages)}]"
    causes = [{"reason": _reason(why), "message": why, "field": field} for field, why in problems]
    known = {key: value for key, value in (details | {"name": name}).items() if value}
    return ApiError(422, "Invalid", f'{what} "{name}" is invalid: {combined}', {**known, "causes": causes})


def _reason(why: str) -> str:
    if " in body must be of type " in why:
        return "FieldValueTypeInvalid"
    return next((reason for start, reason in _REASONS.items() if why.startswith(start)), "FieldValueInvalid")


def forbidden(kind: Kind, name: str, why: str) -> ApiError:
    return ApiError(403, "Forbidden", f'{kind.resource} "{name}" is forbidden: {why}', _details(kind, name))


def bad_request(message: str) -> ApiError:
    return ApiError(400, "BadRequest", message)


def expired(resource_version: int, oldest: int) -> ApiError:
    return ApiError(410, "Expired", f"too old resource version: {resource_version} ({oldest})")


def unauthorized() -> ApiError:
    return ApiError(401, "Unauthorized", "Unauthorized")


def too_large_resource_version(resource_version: int, newest: int) -> ApiError:
    causes = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
    message = f"Timeout: Too large resource version: {resource_version}, current: {newest}"
    return ApiError(504, "Timeout", message, {"causes": causes, "retryAfterSeconds": 1})


def rejected_patch() -> ApiError:
    return ApiError(422, "Invalid", "the server rejected our request due to an error in our request", {})


def untyped(obj: Object, kind: Kind, why: str) -> ApiError:
    """The error of server-side apply for a body that does not match its kind's schema: 500, without a reason."""
    metadata = obj.get("metadata") or {}
    name = f"{metadata.get('namespace') or ''}/{metadata.get('name') or ''}"
    version = f"{kind.group}/{kind.version}, Kind={kind.kind}"
    return ApiError(500, "", f"failed to create typed patch object ({name}; {version}): {why}")


def unsupported_media_type(accepted: list[str]) -> ApiError:
    message = f"the body of the request was in an unknown format - accepted media types include: {', '.join(accepted)}"
    return ApiError(415, "UnsupportedMediaType", message)


def method_not_allowed() -> ApiError:
    return ApiError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {})
