"""The errors of CloudFormation with their codes."""

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
    """AWS has the operation, and the sandbox does not support it."""

    code = "NotImplemented"
