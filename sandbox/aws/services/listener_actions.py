"""The actions of ELB listeners and rules."""

from collections.abc import Mapping
from typing import Any


def target_group_arns(action: Mapping[str, Any]) -> list[str]:
    """The target groups of a forward action, which elbv2 writes in one of two forms."""
    groups = action.get("ForwardConfig", {}).get("TargetGroups") or [action]
    return [group["TargetGroupArn"] for group in groups if "TargetGroupArn" in group]
