"""EKS access entries, which give IAM principals access to the cluster. moto lacks them."""

import threading
import time
from typing import Any

from moto.eks.models import eks_backends

from sandbox.aws.cloud import Cloud
from sandbox.aws.faults.ignoring import is_ignored
from sandbox.aws.http.rest import RestError, RestOperation, RestRequest, operation

Record = dict[str, Any]
ENTRIES = "/clusters/{name}/access-entries"
POLICIES = f"{ENTRIES}/{{principalArn}}/access-policies"


class EksAccess:
    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._lock = threading.Lock()
        self._entries: dict[tuple[str, str], Record] = {}
        self._policies: dict[tuple[str, str], dict[str, Record]] = {}

    def operations(self) -> list[RestOperation]:
        # The more specific paths first, because an ARN contains slashes.
        return [
            operation("eks", "POST", ENTRIES, self._create),
            operation("eks", "POST", POLICIES, self._associate),
            operation("eks", "GET", POLICIES, self._list_policies),
            operation("eks", "GET", f"{ENTRIES}/{{principalArn}}", self._describe),
            operation("eks", "DELETE", f"{ENTRIES}/{{principalArn}}", self._delete),
        ]

    def _create(self, request: RestRequest) -> Record:
        cluster, principal = request.path["name"], request.body["principalArn"]
        if cluster not in eks_backends[self._cloud.account_id][self._cloud.region].clusters:
            raise RestError(404, "ResourceNotFoundException", f"No cluster found for name: {cluster}.")
        created = {
            **{key: value for key, value in request.body.items() if key != "clientRequestToken"},
            "clusterName": cluster,
            "accessEntryArn": self._cloud.arn("eks", f"access-entry/{cluster}/{principal.rpartition(':')[2]}"),
            "createdAt": time.time(),
            "modifiedAt": time.time(),
        }
        with self._lock:
            if (cluster, principal) in self._entries:
                raise RestError(
                    409,
                    "ResourceInUseException",
                    "The specified access entry resource is already in use on this cluster.",
                )
            if not is_ignored():
                self._entries[cluster, principal] = created
        return {"accessEntry": created}

    def _describe(self, request: RestRequest) -> Record:
        return {"accessEntry": self._entry(request)}

    def _associate(self, request: RestRequest) -> Record:
        entry, body = self._entry(request), request.body
        created = {"policyArn": body["policyArn"], "accessScope": body["accessScope"], "associatedAt": time.time()}
        if not is_ignored():
            self._policies.setdefault(self._key(entry), {})[body["policyArn"]] = created
        return {
            "clusterName": entry["clusterName"],
            "principalArn": entry["principalArn"],
            "associatedAccessPolicy": created,
        }

    def _list_policies(self, request: RestRequest) -> Record:
        entry = self._entry(request)
        return {"associatedAccessPolicies": list(self._policies.get(self._key(entry), {}).values())}

    def _delete(self, request: RestRequest) -> Record:
        key = self._key(self._entry(request))
        if not is_ignored():
            self._entries.pop(key, None)
            self._policies.pop(key, None)
        return {}

    def _entry(self, request: RestRequest) -> Record:
        key = (request.path["name"], request.path["principalArn"])
        if key not in self._entries:
            raise RestError(
                404, "ResourceNotFoundException", f"The specified principalArn could not be found: {key[1]}."
            )
        return self._entries[key]

    @staticmethod
    def _key(entry: Record) -> tuple[str, str]:
        return entry["clusterName"], entry["principalArn"]
