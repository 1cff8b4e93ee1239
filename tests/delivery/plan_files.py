"""Plans as files: `plans/<case>.json` is a state before a release, and `plans/<case>.txt` the plan as it is printed.

    python -m tests.delivery.plan_files

writes the texts. Check each difference afterwards. A case contains only what differs from the environment's file and
the committed cloud assembly.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clients.assembly import read_assembly
from clients.manifests import read_manifests
from delivery.application.addons import ObservedAddon, plan_addons
from delivery.application.connections import NEEDED_OUTPUTS, ObservedSettings, WantedSetting, plan_settings
from delivery.application.planning import ObjectPreview, Preview, plan_application, plan_new_application
from delivery.application.rerelease import ambiguous_revisions, describe_ambiguous_revision
from delivery.environment import Environment
from delivery.errors import Refused
from delivery.plan import PartPlan, join_plan
from delivery.plan_text import describe_plan
from delivery.rollout.manifests import parse_manifests, parse_rollout_spec
from delivery.stacks.outputs import find_outputs
from delivery.stacks.planning import plan_stacks
from delivery.stacks.state import ObservedStack, StackState
from delivery.topics import ObservedTopic, plan_topics, specify_topics
from tests.delivery.rollout.objects import STABLE_IMAGE, done, idle, replica_set
from tests.environments import production

FOLDER = Path(__file__).parent / "plans"
DIGEST = f"sha256:{'a' * 64}"
Case = Mapping[str, Any]
SETTINGS = {
    "msk-config": ("Secret", ("bootstrap-servers",)),
    "rds-config": ("Secret", ("host", "port", "name", "username", "password")),
    "redis-config": ("ConfigMap", ("host", "port", "tls")),
    "genai-demo-config": ("ConfigMap", ("application.yml",)),
}


def print_plan(case: Case) -> str:
    """What `slipway plan` prints for the case: the plan or the refusals."""
    environment = production(Path("/nowhere"))
    parts = [plan(environment, case) for plan in (stacks, addons, topics, settings, application)]
    try:
        return describe_plan(join_plan(environment.name, DIGEST, parts, ())) + "\n"
    except Refused as error:
        return f"REFUSED  {error}\n"


def stacks(environment: Environment, case: Case) -> PartPlan:
    """Under "stacks": the fields of each ObservedStack that differ, by stack id. {"state": null}: it does not exist."""
    assembly = read_assembly(environment.stacks.assembly)
    observed: dict[str, ObservedStack] = {}
    for stack in assembly:
        usual = StackState(arn=f"arn:{stack.name}", name=stack.name, status="UPDATE_COMPLETE", is_protected=True)
        given: Case = {"state": None} if is_first(case) else case.get("stacks", {}).get(stack.id, {})
        if given.get("state"):
            given = {**given, "state": usual.model_dump() | given["state"]}
        observed[stack.id] = ObservedStack.model_validate({"id": stack.id, "state": usual.model_dump(), **given})
    return plan_stacks(assembly, observed)


def addons(environment: Environment, case: Case) -> PartPlan:
    """Under "addons": the fields of each ObservedAddon that differ, by add-on."""
    wanted = environment.addons.wanted
    usual = {addon.name: {"version": addon.version, "is_available": True} for addon in wanted}
    given = case.get("addons", {})
    observed = {name: ObservedAddon.model_validate(found | given.get(name, {})) for name, found in usual.items()}
    return plan_addons(wanted, None if is_first(case) else observed)


def topics(environment: Environment, case: Case) -> PartPlan:
    """Under "topics": the fields of each ObservedTopic that differ, by name without the environment's prefix."""
    wanted = specify_topics(environment)
    observed: dict[str, ObservedTopic] = {}
    for topic in wanted:
        given = dict(case.get("topics", {}).get(topic.name.removeprefix(environment.topic_prefix), {}))
        given["configuration"] = topic.configuration | given.get("configuration", {})
        observed[topic.name] = ObservedTopic.model_validate(topic.model_dump() | given)
    return plan_topics(wanted, None if is_first(case) else observed)


def settings(environment: Environment, case: Case) -> PartPlan:
    """Under "settings": the settings whose content changed, so that no object has the new name."""
    if is_first(case):
        missing = find_outputs(environment.outputs, {}).missing(*NEEDED_OUTPUTS, "cluster_name")
        return plan_settings(ObservedSettings(missing=missing))
    changed = case.get("settings", [])
    wanted = tuple(
        WantedSetting(kind=kind, base_name=name, name=f"{name}-0123456789", keys=keys, is_present=name not in changed)
        for name, (kind, keys) in SETTINGS.items()
    )
    return plan_settings(ObservedSettings(wanted=wanted))


def application(environment: Environment, case: Case) -> PartPlan:
    """Unchanged, except in a first installation. "released_again": the digest served before. "canary": --canary."""
    parsed = parse_manifests(read_manifests(environment.application.manifests))
    objects = [manifest for found in parsed.values() for manifest in found]
    rollout_spec = parse_rollout_spec(objects)
    if is_first(case):
        return plan_new_application(objects, rollout_spec, STABLE_IMAGE, "changes are known after EKSStack is deployed")
    previews = tuple(ObjectPreview(found["kind"], found["metadata"]["name"], ()) for found in objects)
    template, snapshot = replica_set("any", STABLE_IMAGE, 1, 1).template, done() if is_again(case) else idle()
    plan = plan_application(rollout_spec, snapshot, Preview(previews, template), STABLE_IMAGE, environment.name)
    found = () if case.get("canary") else ambiguous_revisions(snapshot, template)
    described = (describe_ambiguous_revision(environment.name, revision, {}) for revision in found)
    return plan.model_copy(update={"refusals": tuple(refusal for refusal in described if refusal)})


def is_first(case: Case) -> bool:
    return case.get("first", False)


def is_again(case: Case) -> bool:
    return case.get("released_again", False)


def read_case(name: str) -> Case:
    return json.loads((FOLDER / f"{name}.json").read_text())


def names() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("*.json"))


if __name__ == "__main__":
    for name in sys.argv[1:] or names():
        (FOLDER / f"{name}.txt").write_text(print_plan(read_case(name)))
