"""EKS add-ons and pod identity associations, which moto lacks."""

import threading
import time
import uuid
from typing import Any

from moto.eks.models import eks_backends

from sandbox.aws.cloud import Cloud
from sandbox.aws.faults.ignoring import is_ignored
from sandbox.aws.http.rest import RestError, RestOperation, RestRequest, operation, page

Record = dict[str, Any]
ADDONS = "/clusters/{name}/addons"
IDENTITIES = "/clusters/{name}/pod-identity-associations"


class EksAddons:
    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._lock = threading.Lock()
        self._addons: dict[tuple[str, str], Record] = {}
        self._identities: dict[tuple[str, str], Record] = {}

    def operations(self) -> list[RestOperation]:
        return [
            operation("eks", "POST", ADDONS, self._create_addon),
            operation("eks", "GET", ADDONS, self._list_addons),
            operation("eks", "GET", f"{ADDONS}/{{key}}", lambda request: {"addon": self._addon(request)}),
            operation("eks", "POST", f"{ADDONS}/{{key}}/update", self._update_addon),
            operation("eks", "DELETE", f"{ADDONS}/{{key}}", self._delete_addon),
            operation("eks", "POST", IDENTITIES, self._create_identity),
            operation("eks", "GET", IDENTITIES, self._list_identities),
            operation("eks", "GET", f"{IDENTITIES}/{{key}}", lambda request: {"association": self._identity(request)}),
            operation("eks", "POST", f"{IDENTITIES}/{{key}}", self._update_identity),
            operation("eks", "DELETE", f"{IDENTITIES}/{{key}}", self._delete_identity),
        ]

    def _create_addon(self, request: RestRequest) -> Record:
        cluster, name = self._cluster(request), request.body["addonName"]
        created = {
            **request.body,
            "clusterName": cluster,
            "status": "ACTIVE",
            "addonVersion": request.body.get("addonVersion", "v1.0.0-eksbuild.1"),
            "addonArn": self._cloud.arn("eks", f"addon/{cluster}/{name}/{uuid.uuid4()}"),
            "createdAt": time.time(),
            "modifiedAt": time.time(),
            "health": {"issues": []},
        }
        return {"addon": self._add(self._addons, (cluster, name), created)}

    def _update_addon(self, request: RestRequest) -> Record:
        addon = self._addon(request)
        if not is_ignored():
            addon.update(request.body, modifiedAt=time.time())
        return {"update": {"id": str(uuid.uuid4()), "status": "Successful", "type": "AddonUpdate"}}

    def _list_addons(self, request: RestRequest) -> Record:
        cluster = self._cluster(request)
        names, token = page([name for owner, name in self._addons if owner == cluster], request)
        return {"addons": names, **token}

    def _delete_addon(self, request: RestRequest) -> Record:
        addon = self._addon(request)
        self._remove(self._addons, request)
        return {"addon": {**addon, "status": "DELETING"}}

    def _create_identity(self, request: RestRequest) -> Record:
        cluster, identifier = self._cluster(request), f"a-{uuid.uuid4().hex[:17]}"
        body = request.body
        wanted = (body["namespace"], body["serviceAccount"])
        for (owner, _), known in self._identities.items():
            if owner == cluster and (known["namespace"], known["serviceAccount"]) == wanted:
                raise RestError(409, "ResourceInUseException", f"Association already exists: {known['associationId']}")
        created = {
            **{key: value for key, value in body.items() if key != "clientRequestToken"},
            "clusterName": cluster,
            "associationId": identifier,
            "associationArn": self._cloud.arn("eks", f"podidentityassociation/{cluster}/{identifier}"),
            "createdAt": time.time(),
            "modifiedAt": time.time(),
        }
        return {"association": self._add(self._identities, (cluster, identifier), created)}

    def _update_identity(self, request: RestRequest) -> Record:
        identity = self._identity(request)
        if not is_ignored():
            identity.update(roleArn=request.body.get("roleArn", identity["roleArn"]), modifiedAt=time.time())
        return {"association": identity}

    def _list_identities(self, request: RestRequest) -> Record:
        cluster = self._cluster(request)
        wanted = {key: request.query[key] for key in ("namespace", "serviceAccount") if key in request.query}
        found = [
            {key: value for key, value in known.items() if key not in ("roleArn", "tags", "createdAt", "modifiedAt")}
            for (owner, _), known in self._identities.items()
            if owner == cluster and wanted.items() <= known.items()
        ]
        associations, token = page(found, request)
        return {"associations": associations, **token}

    def _delete_identity(self, request: RestRequest) -> Record:
        identity = self._identity(request)
        self._remove(self._identities, request)
        return {"association": identity}

    def _cluster(self, request: RestRequest) -> str:
        name = request.path["name"]
        if name not in eks_backends[self._cloud.account_id][self._cloud.region].clusters:
            raise RestError(404, "ResourceNotFoundException", f"No cluster found for name: {name}.")
        return name

    def _addon(self, request: RestRequest) -> Record:
        return self._find(self._addons, request, "addon")

    def _identity(self, request: RestRequest) -> Record:
        return self._find(self._identities, request, "association")

    def _find(self, records: dict[tuple[str, str], Record], request: RestRequest, what: str) -> Record:
        key = (self._cluster(request), request.path["key"])
        if key not in records:
            raise RestError(404, "ResourceNotFoundException", f"No {what} {key[1]} found in cluster {key[0]}.")
        return records[key]

    def _add(self, records: dict[tuple[str, str], Record], key: tuple[str, str], created: Record) -> Record:
        with self._lock:
            if key in records:
                raise RestError(409, "ResourceInUseException", f"{key[1]} already exists in cluster {key[0]}.")
            if not is_ignored():
                records[key] = created
        return created

    def _remove(self, records: dict[tuple[str, str], Record], request: RestRequest) -> None:
        if not is_ignored():
            records.pop((request.path["name"], request.path["key"]), None)
