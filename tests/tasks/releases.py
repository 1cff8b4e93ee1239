"""Releases that follow another one in a test, under the same lock."""

from dataclasses import replace
from typing import Any

from delivery.context import ReleaseContext


def next_release(context: ReleaseContext, **changes: Any) -> ReleaseContext:
    """The release after this one, under the same lock. changes: to other fields of the release."""
    update = {"number": context.release.number + 1} | changes
    return replace(context, release=context.release.model_copy(update=update))
