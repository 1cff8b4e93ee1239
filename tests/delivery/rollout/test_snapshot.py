from delivery.rollout.snapshot import Weights, Writer, parse_snapshot

ROLLOUT = {
    "metadata": {"name": "backend", "namespace": "demo", "uid": "u1", "resourceVersion": "7", "generation": 2},
    "spec": {"replicas": 3, "strategy": {"canary": {"steps": [{"setWeight": 20}, {"pause": {}}]}}},
    "status": {
        "observedGeneration": "2",
        "phase": "Paused",
        "currentStepIndex": 1,
        "currentPodHash": "7c9f",
        "stableRS": "66d4",
        "controllerPause": True,
        "pauseConditions": [{"reason": "CanaryPauseStep", "startTime": "2026-11-24T12:00:00Z"}],
        "canary": {
            "weights": {
                "canary": {"weight": 20, "podTemplateHash": "7c9f", "serviceName": "b-canary"},
                "stable": {"weight": 80, "podTemplateHash": "66d4", "serviceName": "b-stable"},
            }
        },
    },
}


def owned(pod_hash: str, revision: int, owner: str = "u1") -> dict:
    return {
        "metadata": {
            "name": f"backend-{pod_hash}",
            "labels": {"rollouts-pod-template-hash": pod_hash},
            "annotations": {"rollout.argoproj.io/revision": str(revision)},
            "ownerReferences": [{"uid": owner, "controller": True}],
        },
        "spec": {
            "replicas": 1,
            "template": {
                "metadata": {"labels": {"app": "backend", "rollouts-pod-template-hash": pod_hash}},
                "spec": {"containers": [{"image": f"registry/backend@sha256:{pod_hash}"}]},
            },
        },
    }


def pod(state: dict, last: dict | None = None) -> dict:
    return {
        "metadata": {"name": "backend-7c9f-x", "labels": {"rollouts-pod-template-hash": "7c9f"}},
        "spec": {"containers": [{"image": "registry/backend@sha256:7c9f"}]},
        "status": {
            "containerStatuses": [{"name": "backend", "restartCount": 2, "state": state, "lastState": last or {}}]
        },
    }


def test_a_snapshot_has_the_state_of_the_controller() -> None:
    snapshot = parse_snapshot(ROLLOUT, [owned("66d4", 1), owned("7c9f", 2)], [])
    assert snapshot.is_observed
    assert snapshot.is_unfinished
    assert snapshot.pause_reasons == ("CanaryPauseStep",)
    assert snapshot.weights == Weights(20, "7c9f", 80, "66d4")
    assert [revision.revision for revision in snapshot.replica_sets] == [2, 1]


def test_a_generation_is_compared_as_the_string_that_the_controller_writes() -> None:
    behind = {**ROLLOUT, "metadata": {**ROLLOUT["metadata"], "generation": 3}}
    assert not parse_snapshot(behind, [], []).is_observed


def test_a_replica_set_of_another_owner_is_not_a_revision() -> None:
    assert parse_snapshot(ROLLOUT, [owned("66d4", 1, owner="u2")], []).replica_sets == ()


def test_the_template_of_a_revision_does_not_have_the_hash_label() -> None:
    (revision,) = parse_snapshot(ROLLOUT, [owned("7c9f", 2)], []).replica_sets
    assert revision.template["metadata"]["labels"] == {"app": "backend"}
    assert revision.artifact_digest == "sha256:7c9f"


def test_a_rollout_without_a_status_can_be_read() -> None:
    snapshot = parse_snapshot({key: ROLLOUT[key] for key in ("metadata", "spec")}, [], [])
    assert (snapshot.is_observed, snapshot.stable_hash, snapshot.weights) == (False, "", None)


def test_the_failure_of_a_revision_is_not_that_of_another() -> None:
    crashing = pod({"waiting": {"reason": "CrashLoopBackOff"}})
    snapshot = parse_snapshot(ROLLOUT, [owned("66d4", 1), owned("7c9f", 2)], [crashing])
    assert snapshot.failure_of("7c9f") == "pod backend-7c9f-x: CrashLoopBackOff"
    assert snapshot.failure_of("66d4") is None


def managed(manager: str, at: str, *fields: str) -> dict:
    return {"manager": manager, "time": at, "fieldsV1": {"f:spec": {f"f:{field}": {} for field in fields}}}


def test_other_writers_of_the_rollout_are_read_from_its_managed_fields() -> None:
    entries = [
        managed("kubectl-edit", "2026-11-24T12:03:00Z", "template"),
        managed("kubectl", "2026-11-24T12:02:00Z", "replicas"),
        managed("slipway", "2026-11-24T12:04:00Z", "replicas"),
        managed("rollouts-controller", "2026-11-24T12:05:00Z"),
    ]
    metadata = {**ROLLOUT["metadata"], "managedFields": entries}
    first, second = parse_snapshot({**ROLLOUT, "metadata": metadata}, [], []).writers
    assert first == Writer("kubectl", "2026-11-24T12:02:00Z", owns_replicas=True)
    assert second == Writer("kubectl-edit", "2026-11-24T12:03:00Z", owns_replicas=False)


def test_a_revision_is_described_by_its_role_number_and_hash() -> None:
    snapshot = parse_snapshot(ROLLOUT, [owned("66d4", 1), owned("7c9f", 2)], [])
    assert snapshot.describe_revision("7c9f") == "The new revision 2 (hash 7c9f)"
    assert snapshot.describe_revision("66d4") == "The stable revision 1 (hash 66d4)"
    assert snapshot.describe_revision("gone") == "The new revision (hash gone)"
