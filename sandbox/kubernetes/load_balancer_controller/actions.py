"""Actions and conditions in the format of elbv2, and their comparison."""

from collections.abc import Mapping
from typing import Any

from sandbox.kubernetes.load_balancer_controller.model import Action, Backend, FixedResponse, Redirect, Rule

Arns = Mapping[Backend, str]
"""Target group of each backend."""

_REDIRECT = {"protocol": "Protocol", "port": "Port", "host": "Host", "path": "Path", "query": "Query"}
_REDIRECT["statuscode"] = "StatusCode"
SSL_REDIRECT = "HTTP_301"


def action_for(action: Action, groups: Arns) -> dict[str, Any]:
    if isinstance(action, FixedResponse):
        config = {"StatusCode": action.code, "ContentType": action.content_type, "MessageBody": action.body}
        return {"Type": "fixed-response", "Order": 1, "FixedResponseConfig": config}
    if isinstance(action, Redirect):
        config = {_REDIRECT[name]: value for name, value in action.fields}
        return {"Type": "redirect", "Order": 1, "RedirectConfig": config}
    weighted = [{"TargetGroupArn": groups[backend], "Weight": weight} for backend, weight in action.weights]
    forward: dict[str, Any] = {"TargetGroups": weighted}
    if action.stickiness_seconds is not None:
        forward["TargetGroupStickinessConfig"] = {"Enabled": True, "DurationSeconds": action.stickiness_seconds}
    return {"Type": "forward", "Order": 1, "ForwardConfig": forward}


def redirect_to_tls(port: str) -> dict[str, Any]:
    config = {"Protocol": "HTTPS", "Port": port, "StatusCode": SSL_REDIRECT}
    return {"Type": "redirect", "Order": 1, "RedirectConfig": config}


def conditions_for(rule: Rule) -> list[dict[str, Any]]:
    conditions = []
    if rule.host:
        conditions.append({"Field": "host-header", "HostHeaderConfig": {"Values": [rule.host]}})
    if rule.paths:
        conditions.append({"Field": "path-pattern", "PathPatternConfig": {"Values": list(rule.paths)}})
    return conditions


def same_action(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return _action_key(one) == _action_key(other)


def same_conditions(one: list[dict[str, Any]], other: list[dict[str, Any]]) -> bool:
    return _condition_keys(one) == _condition_keys(other)


def _action_key(action: Mapping[str, Any]) -> Any:
    """The compared part of an action. AWS adds defaults, and repeats a single target group outside the list."""
    if action["Type"] == "forward":
        single: dict[str, Any] = {"TargetGroups": [{"TargetGroupArn": action.get("TargetGroupArn")}]}
        forward = action.get("ForwardConfig") or single
        sticky = forward.get("TargetGroupStickinessConfig") or {}
        seconds = sticky.get("DurationSeconds") if sticky.get("Enabled") else None
        weights = [(group["TargetGroupArn"], group.get("Weight", 1)) for group in forward["TargetGroups"]]
        return "forward", sorted(weights), seconds
    config = action.get("FixedResponseConfig") or action.get("RedirectConfig") or {}
    given = {name: value for name, value in config.items() if value}
    defaults = {"Host": "#{host}", "Path": "/#{path}", "Query": "#{query}"} if action["Type"] == "redirect" else {}
    return action["Type"], {**defaults, **given}


def _condition_keys(conditions: list[dict[str, Any]]) -> list[tuple[str, list[str]]]:
    keys = []
    for condition in conditions:
        config = condition.get("HostHeaderConfig") or condition.get("PathPatternConfig") or {}
        keys.append((condition["Field"], sorted(config.get("Values") or condition.get("Values") or [])))
    return sorted(keys)
