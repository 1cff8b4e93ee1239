"""What a cluster must hold for a release: its add-ons by version, and the kinds that they bring."""

import re
from collections.abc import Iterable, Mapping, Sequence

from pydantic import BaseModel, ConfigDict

from delivery.canary.verdict import Verdict
from delivery.check import Check
from delivery.environment import Addon
from delivery.plan import PartPlan, Phase, Reversibility, Step, StepAction

# By API group: whose kinds the manifests or the release itself need.
ADD_ONS = {"argoproj.io": "Argo Rollouts", "elbv2.k8s.aws": "the AWS Load Balancer Controller"}
# Of a release itself: the weights' target groups are told by these.
NEEDED = (("argoproj.io/v1alpha1", "Rollout"), ("elbv2.k8s.aws/v1beta1", "TargetGroupBinding"))


ALL_THERE = "each there, those that a release needs running"


class ObservedAddon(BaseModel):
    """An add-on as the cluster holds it.

    version: by its Deployment's image; None where there is no Deployment. missing: its definitions that are not there.
    """

    model_config = ConfigDict(frozen=True)

    version: str | None
    is_available: bool = False
    missing: tuple[str, ...] = ()

    @property
    def is_there(self) -> bool:
        return self.version is not None and not self.missing


def read_version(image: str) -> str:
    """`v1.9.1` of `quay.io/argoproj/argo-rollouts:v1.9.1@sha256:...`; the digest where there is no tag."""
    name, _, digest = image.partition("@")
    found = re.search(r":([^:/]+)$", name)
    return found[1] if found else digest or "latest"


def plan_addons(wanted: Sequence[Addon], observed: Mapping[str, ObservedAddon] | None) -> PartPlan:
    """A step for each add-on that is there or that the settings can install.

    observed: by name; None where the cluster does not exist yet. What nothing installs is refused where a release
    cannot do without it, and told otherwise.
    """
    if observed is None:
        return _plan_unseen(wanted)
    parts = [plan_addon(addon, observed[addon.name]) for addon in wanted]
    return PartPlan(
        steps=tuple(step for part in parts for step in part.steps),
        refusals=tuple(refusal for part in parts for refusal in part.refusals),
        findings=tuple(finding for part in parts for finding in part.findings),
    )


def _plan_unseen(wanted: Sequence[Addon]) -> PartPlan:
    by_hand = [f"{addon.name} {addon.version}" for addon in wanted if addon.is_required and not addon.manifest]
    sentence = (
        f"The cluster is yet to be made, and has to hold {', '.join(by_hand)}. Where it comes without, the release "
        "stops there and names what is missing: install that and start the release again, which goes on from there."
    )
    steps = (_step(addon, StepAction.CREATE, "known after the cluster") for addon in wanted if addon.manifest)
    return PartPlan(steps=tuple(steps), findings=(sentence,) if by_hand else ())


def plan_addon(addon: Addon, observed: ObservedAddon) -> PartPlan:
    """The step of one add-on, or the sentence that says what is wrong with it."""
    if observed.is_there and observed.version == addon.version:
        findings = () if observed.is_available else (f"{describe_state(addon, observed)} Look at its pods.",)
        return PartPlan(steps=(_step(addon, StepAction.NOTHING),), findings=findings)
    if addon.manifest is not None:
        action = StepAction.CHANGE if observed.version else StepAction.CREATE
        return PartPlan(steps=(_step(addon, action, *_lines(addon, observed)),))
    sentence = f"{describe_state(addon, observed)} {MEND}"
    if observed.is_there or not addon.is_required:
        return PartPlan(findings=(sentence,))
    return PartPlan(refusals=(sentence,))


MEND = "Install that version, or pin its manifest in [addons], then release again."


def describe_state(addon: Addon, observed: ObservedAddon) -> str:
    """What is not as wanted, in one sentence."""
    return f"The cluster's {addon.name} is not as wanted: {'; '.join(_differences(addon, observed))}."


def is_as_wanted(addon: Addon, observed: ObservedAddon) -> bool:
    """Whether the version is there with all it brings, and its pods run."""
    return not _differences(addon, observed)


def judge_addons(wanted: Sequence[Addon], observed: Mapping[str, ObservedAddon] | None) -> Check:
    """Fails where a release would install or refuse one, and where one that it cannot do without does not run.

    observed: by name; None where the cluster does not exist. Another version than the one wanted, which a release
    leaves as it is, is told besides.
    """
    if observed is None:
        return Check(name="add-ons", verdict=Verdict.FAIL, seen="there is no cluster", wanted=ALL_THERE)
    faults = [why for addon in wanted if (why := _fault(addon, observed[addon.name]))]
    others = [addon for addon in wanted if not _fault(addon, observed[addon.name])]
    besides = [
        f"besides {addon.name}: {'; '.join(told)}"
        for addon in others
        if (told := _differences(addon, observed[addon.name]))
    ]
    count = len(others) - len(besides)
    seen = "; ".join([*faults, *([f"{count} in the version wanted"] if count else []), *besides])
    return Check(name="add-ons", verdict=Verdict.FAIL if faults else Verdict.PASS, seen=seen, wanted=ALL_THERE)


def _fault(addon: Addon, observed: ObservedAddon) -> str | None:
    """What is wrong with an add-on beyond what a release bears with."""
    plan = plan_addon(addon, observed)
    is_changed = any(step.action is not StepAction.NOTHING for step in plan.steps)
    is_down = addon.is_required and not observed.is_available
    return (
        f"{addon.name}: {'; '.join(_differences(addon, observed))}" if plan.refusals or is_changed or is_down else None
    )


def are_installed(addons: Iterable[Addon], kinds: Iterable[tuple[str, str]]) -> bool:
    """Whether each of the kinds comes with an add-on that the release installs. kinds: API version and kind."""
    groups = {name.partition(".")[2] for addon in addons if addon.manifest for name in addon.definitions}
    return all(api_version.rpartition("/")[0] in groups for api_version, _ in kinds)


def refuse_missing(kinds: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """A refusal for each kind that the cluster does not serve. kinds: API version and kind."""
    return tuple(_describe(*kind) for kind in sorted(set(kinds)))


def _describe(api_version: str, kind: str) -> str:
    add_on = ADD_ONS.get(api_version.rpartition("/")[0])
    bring = f"Install {add_on}" if add_on else "Install what brings it"
    return f"The cluster does not serve {kind} of {api_version}. {bring}, then release again."


def _differences(addon: Addon, observed: ObservedAddon) -> list[str]:
    told = [f"there is no definition {name}" for name in observed.missing]
    if observed.version is None:
        told.append(f"there is no Deployment {addon.deployment} in {addon.namespace}")
    elif observed.version != addon.version:
        told.append(f"found {observed.version}, wanted {addon.version}")
    if observed.version is not None and not observed.is_available:
        told.append(f"none of its pods in {addon.namespace} is available")
    return told


def _lines(addon: Addon, observed: ObservedAddon) -> tuple[str, ...]:
    found = f"version: {observed.version or '(none)'} -> {addon.version}"
    return (found, f"manifest: {addon.manifest}", *(f"definition: {name}" for name in observed.missing))


def _step(addon: Addon, action: StepAction, *changes: str) -> Step:
    return Step(phase=Phase.ADDONS, name=addon.name, action=action, way_back=Reversibility.COSTLY, changes=changes)
