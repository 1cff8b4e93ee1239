"""Plans as files: beside each `plans/<case>.json`, what is there, stands `<case>.txt`, what an operator is shown.

    python -m tests.delivery.plan_files

writes the texts anew; then look at each difference. A case names only what is not as the environment's file and the
committed assembly want it.
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
from delivery.application.planning import ObjectPreview, Preview, plan_application, plan_unseen
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
from tests.delivery.rollout.objects import STABLE_IMAGE, at_rest, done, replica_set
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
    """What `slipway plan` prints of the case; the refusals where it is refused."""
    environment = production(Path("/nowhere"))
    parts = [plan(environment, case) for plan in (stacks, addons, topics, settings, application)]
    try:
        return describe_plan(join_plan(environment.name, DIGEST, parts, ())) + "\n"
    except Refused as error:
        return f"REFUSED  {error}\n"


def stacks(environment: Environment, case: Case) -> PartPlan:
    """Stack id -> the fields of an ObservedStack that differ; {"state": null}: there is none."""
    assembly = read_assembly(environment.stacks.assembly)
    observed: dict[str, ObservedStack] = {}
    for stack in assembly:
        there = StackState(arn=f"arn:{stack.name}", name=stack.name, status="UPDATE_COMPLETE", is_protected=True)
        given: Case = {"state": None} if is_first(case) else case.get("stacks", {}).get(stack.id, {})
        if given.get("state"):
            given = {**given, "state": there.model_dump() | given["state"]}
        observed[stack.id] = ObservedStack.model_validate({"id": stack.id, "state": there.model_dump(), **given})
    return plan_stacks(assembly, observed)


def addons(environment: Environment, case: Case) -> PartPlan:
    """Add-on -> the fields of an ObservedAddon that differ."""
    wanted = environment.addons.wanted
    there = {addon.name: {"version": addon.version, "is_available": True} for addon in wanted}
    given = case.get("addons", {})
    observed = {name: ObservedAddon.model_validate(found | given.get(name, {})) for name, found in there.items()}
    return plan_addons(wanted, None if is_first(case) else observed)


def topics(environment: Environment, case: Case) -> PartPlan:
    """Topic, without the environment's prefix -> the fields of an ObservedTopic that differ."""
    wanted = specify_topics(environment)
    observed: dict[str, ObservedTopic] = {}
    for topic in wanted:
        given = dict(case.get("topics", {}).get(topic.name.removeprefix(environment.topic_prefix), {}))
        given["configuration"] = topic.configuration | given.get("configuration", {})
        observed[topic.name] = ObservedTopic.model_validate(topic.model_dump() | given)
    return plan_topics(wanted, None if is_first(case) else observed)


def settings(environment: Environment, case: Case) -> PartPlan:
    """Under "settings": those whose content has changed, so that no object of the new name is there."""
    if is_first(case):
        missing = find_outputs(environment.outputs, {}).missing(*NEEDED_OUTPUTS, "cluster_name")
        return plan_settings(ObservedSettings(missing=missing))
    changed = case.get("settings", [])
    wanted = tuple(
        WantedSetting(kind=kind, base_name=name, name=f"{name}-0123456789", keys=keys, is_there=name not in changed)
        for name, (kind, keys) in SETTINGS.items()
    )
    return plan_settings(ObservedSettings(wanted=wanted))


def application(environment: Environment, case: Case) -> PartPlan:
    """As it is, unless nothing is there yet. "released_again": another one serves since then, and "canary" is given."""
    parsed = parse_manifests(read_manifests(environment.application.manifests))
    objects = [manifest for found in parsed.values() for manifest in found]
    rollout_spec = parse_rollout_spec(objects)
    if is_first(case):
        return plan_unseen(objects, rollout_spec, STABLE_IMAGE, "known after EKSStack")
    previews = tuple(ObjectPreview(found["kind"], found["metadata"]["name"], ()) for found in objects)
    template, snapshot = replica_set("any", STABLE_IMAGE, 1, 1).template, done() if is_again(case) else at_rest()
    plan = plan_application(rollout_spec, snapshot, Preview(previews, template), STABLE_IMAGE)
    found = () if case.get("canary") else ambiguous_revisions(snapshot, template)
    asked = (describe_ambiguous_revision(environment.name, revision, {}) for revision in found)
    return plan.model_copy(update={"refusals": tuple(question for question in asked if question)})


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
