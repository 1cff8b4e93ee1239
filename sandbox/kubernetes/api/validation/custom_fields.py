"""The fields of Argo's kinds, from the CustomResourceDefinitions of release 1.9. `object` accepts any fields.

The type of each field by its name, as in the official client's models. A type may be the name of such a model.
"""

Fields = dict[str, str]

_METADATA: Fields = {"annotations": "Dict[str, str]", "labels": "Dict[str, str]"}
_WHOLE: Fields = {"apiVersion": "str", "kind": "str", "metadata": "V1ObjectMeta", "status": "object"}
_OTHER_ROUTERS = ("ambassador", "apisix", "appMesh", "istio", "nginx", "plugins", "smi", "traefik")

MODELS: dict[str, Fields] = {
    "Rollout": {**_WHOLE, "spec": "RolloutSpec"},
    "RolloutSpec": {
        "replicas": "int",
        "minReadySeconds": "int",
        "revisionHistoryLimit": "int",
        "restartAt": "str",
        "paused": "bool",
        "progressDeadlineSeconds": "int",
        "progressDeadlineAbort": "bool",
        "selector": "V1LabelSelector",
        "template": "RolloutTemplate",
        "workloadRef": "RolloutWorkload",
        "strategy": "RolloutStrategy",
        "analysis": "object",
        "rollbackWindow": "RolloutWindow",
    },
    "RolloutTemplate": {"metadata": "RolloutMetadata", "spec": "V1PodSpec"},
    "RolloutMetadata": _METADATA,
    "RolloutWorkload": {"apiVersion": "str", "kind": "str", "name": "str", "scaleDown": "str"},
    "RolloutWindow": {"revisions": "int"},
    "RolloutStrategy": {"blueGreen": "object", "canary": "CanaryStrategy"},
    "CanaryStrategy": {
        "canaryService": "str",
        "stableService": "str",
        "maxSurge": "object",
        "maxUnavailable": "object",
        "canaryMetadata": "RolloutMetadata",
        "stableMetadata": "RolloutMetadata",
        "antiAffinity": "object",
        "scaleDownDelaySeconds": "int",
        "scaleDownDelayRevisionLimit": "int",
        "abortScaleDownDelaySeconds": "int",
        "dynamicStableScale": "bool",
        "minPodsPerReplicaSet": "int",
        "replicaProgressThreshold": "object",
        "steps": "List[CanaryStep]",
        "trafficRouting": "TrafficRouting",
        "analysis": "CanaryAnalysis",
        "pingPong": "object",
    },
    "CanaryStep": {
        "setWeight": "int",
        "pause": "CanaryPause",
        "setCanaryScale": "CanaryScale",
        "analysis": "CanaryAnalysis",
        "experiment": "object",
        "plugin": "object",
        "setHeaderRoute": "object",
        "setMirrorRoute": "object",
    },
    "CanaryPause": {"duration": "object"},
    "CanaryScale": {"matchTrafficWeight": "bool", "replicas": "int", "weight": "int"},
    "CanaryAnalysis": {
        "templates": "List[AnalysisReference]",
        "args": "List[object]",
        "startingStep": "int",
        "analysisRunMetadata": "RolloutMetadata",
        "dryRun": "List[object]",
        "measurementRetention": "List[object]",
    },
    "AnalysisReference": {"clusterScope": "bool", "templateName": "str"},
    "TrafficRouting": {
        "alb": "AlbRouting",
        "managedRoutes": "List[object]",
        "maxTrafficWeight": "int",
        **dict.fromkeys(_OTHER_ROUTERS, "object"),
    },
    "AlbRouting": {
        "ingress": "str",
        "ingresses": "List[str]",
        "servicePort": "int",
        "rootService": "str",
        "annotationPrefix": "str",
        "stickinessConfig": "object",
    },
    "AnalysisTemplate": {**_WHOLE, "spec": "AnalysisTemplateSpec"},
    "AnalysisTemplateSpec": {
        "args": "List[object]",
        "metrics": "List[object]",
        "dryRun": "List[object]",
        "measurementRetention": "List[object]",
        "templates": "List[object]",
    },
}
