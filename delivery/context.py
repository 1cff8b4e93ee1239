"""What each step of a release gets."""

from dataclasses import dataclass

from delivery.environment import Environment
from delivery.release import Release


@dataclass(frozen=True)
class ReleaseContext:
    """A release in progress, and the settings of the environment that it has locked."""

    environment: Environment
    release: Release
