"""X-Ray groups and sampling rules, which moto lacks."""

import threading
import time
import uuid
from typing import Any

from sandbox.aws.cloud import Cloud
from sandbox.aws.faults.ignoring import is_ignored
from sandbox.aws.http.rest import RestError, RestOperation, RestRequest, operation

Record = dict[str, Any]


class XraySettings:
    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._lock = threading.Lock()
        self._groups: dict[str, Record] = {}
        self._rules: dict[str, Record] = {}

    def operations(self) -> list[RestOperation]:
        return [
            operation("xray", "POST", "/CreateGroup", self._create_group),
            operation("xray", "POST", "/GetGroup", lambda request: {"Group": self._group(request)}),
            operation("xray", "POST", "/Groups", lambda _: {"Groups": list(self._groups.values())}),
            operation("xray", "POST", "/UpdateGroup", self._update_group),
            operation("xray", "POST", "/DeleteGroup", self._delete_group),
            operation("xray", "POST", "/CreateSamplingRule", self._create_rule),
            operation("xray", "POST", "/GetSamplingRules", self._list_rules),
            operation("xray", "POST", "/UpdateSamplingRule", self._update_rule),
            operation("xray", "POST", "/DeleteSamplingRule", self._delete_rule),
        ]

    def _create_group(self, request: RestRequest) -> Record:
        name = request.body["GroupName"]
        wanted = {key: value for key, value in request.body.items() if key != "Tags"}
        arn = self._cloud.arn("xray", f"group/{name}/{uuid.uuid4().hex[:26].upper()}")
        return {"Group": self._add(self._groups, name, {**wanted, "GroupARN": arn})}

    def _update_group(self, request: RestRequest) -> Record:
        group = self._group(request)
        if not is_ignored():
            group.update(request.body)
        return {"Group": group}

    def _delete_group(self, request: RestRequest) -> Record:
        group = self._group(request)
        if not is_ignored():
            del self._groups[group["GroupName"]]
        return {}

    def _group(self, request: RestRequest) -> Record:
        wanted = {request.body.get("GroupName"), request.body.get("GroupARN")} - {None}
        return _find(self._groups, wanted, ("GroupName", "GroupARN"))

    def _create_rule(self, request: RestRequest) -> Record:
        name = request.body["SamplingRule"]["RuleName"]
        rule = {**request.body["SamplingRule"], "RuleARN": self._cloud.arn("xray", f"sampling-rule/{name}")}
        record = {"RuleName": name, "SamplingRule": rule, "CreatedAt": time.time(), "ModifiedAt": time.time()}
        self._add(self._rules, name, record)
        return {"SamplingRuleRecord": _without_name(record)}

    def _list_rules(self, _: RestRequest) -> Record:
        return {"SamplingRuleRecords": [_without_name(record) for record in self._rules.values()]}

    def _update_rule(self, request: RestRequest) -> Record:
        changes = request.body["SamplingRuleUpdate"]
        record = self._rule(changes)
        if not is_ignored():
            record["SamplingRule"].update(changes)
            record["ModifiedAt"] = time.time()
        return {"SamplingRuleRecord": _without_name(record)}

    def _delete_rule(self, request: RestRequest) -> Record:
        record = self._rule(request.body)
        if not is_ignored():
            del self._rules[record["RuleName"]]
        return {"SamplingRuleRecord": _without_name(record)}

    def _rule(self, wanted: Record) -> Record:
        name = wanted.get("RuleName") or wanted["RuleARN"].rpartition("/")[2]
        return _find(self._rules, {name}, ("RuleName",))

    def _add(self, records: dict[str, Record], name: str, created: Record) -> Record:
        with self._lock:
            if name in records:
                raise RestError(400, "InvalidRequestException", f"{name} already exists.")
            if not is_ignored():
                records[name] = created
        return created


def _find(records: dict[str, Record], wanted: set[Any], keys: tuple[str, ...]) -> Record:
    for record in records.values():
        if wanted & {record[key] for key in keys}:
            return record
    raise RestError(400, "InvalidRequestException", f"{', '.join(map(str, wanted))} does not exist.")


def _without_name(record: Record) -> Record:
    return {key: value for key, value in record.items() if key != "RuleName"}
