"""CloudFormation's errors, by their codes on the wire."""

from moto.core.exceptions import ServiceException


class CloudFormationError(ServiceException):
    code = "InternalFailure"

    def __init__(self, message: str) -> None:
        super().__init__(message)


class ValidationError(CloudFormationError):
    code = "ValidationError"


class AlreadyExists(CloudFormationError):
    code = "AlreadyExistsException"


class InsufficientCapabilities(CloudFormationError):
    code = "InsufficientCapabilitiesException"


class InvalidChangeSetStatus(CloudFormationError):
    code = "InvalidChangeSetStatus"


class ChangeSetNotFound(CloudFormationError):
    code = "ChangeSetNotFound"


class NotOffered(CloudFormationError):
    """An operation that AWS has and this sandbox has not: said so, never pretended."""

    code = "NotImplemented"
