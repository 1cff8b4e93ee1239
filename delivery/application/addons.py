"""The add-ons that a release needs in the cluster: their versions, and the kinds that they define."""

import re
from collections.abc import Iterable, Mapping, Sequence

from pydantic import BaseModel, ConfigDict

from delivery.canary.verdict import Verdict
from delivery.check import Check
from delivery.plan import PartPlan, Phase, Reversibility, Step, StepAction
from delivery.settings.cluster import Addon

# API group -> the add-on that defines its kinds.
ADDONS_BY_GROUP = {"argoproj.io": "Argo Rollouts", "elbv2.k8s.aws": "the AWS Load Balancer Controller"}
# The kinds that each release needs. A TargetGroupBinding names the target group of a Service.
NEEDED_KINDS = (("argoproj.io/v1alpha1", "Rollout"), ("elbv2.k8s.aws/v1beta1", "TargetGroupBinding"))
ALL_INSTALLED = "all installed, and those that a release needs are running"


class ObservedAddon(BaseModel):
    """An add-on in the cluster.

    version: of the image of its Deployment; None without a Deployment. missing: its CustomResourceDefinitions that do
    not exist.
    """

    model_config = ConfigDict(frozen=True)

    version: str | None
    is_available: bool = False
    missing: tuple[str, ...] = ()

    @property
    def is_installed(self) -> bool:
        return self.version is not None and not self.missing


def read_version(image: str) -> str:
    """`v1.9.1` of `quay.io/argoproj/argo-rollouts:v1.9.1@sha256:...`; the digest if there is no tag."""
    name, _, digest = image.partition("@")
    tag = re.search(r":([^:/]+)$", name)
    return tag[1] if tag else digest or "latest"


def plan_addons(wanted: Sequence[Addon], observed: Mapping[str, ObservedAddon] | None) -> PartPlan:
    """A step for each add-on that is installed, or that has a pinned manifest.

    observed: by name; None if the cluster does not exist yet. A missing add-on without a pinned manifest is a reason to
    refuse the release if the release needs it, and a finding otherwise.
    """
    if observed is None:
        return _plan_without_cluster(wanted)
    parts = [plan_addon(addon, observed[addon.name]) for addon in wanted]
    return PartPlan(
        steps=tuple(step for part in parts for step in part.steps),
        refusals=tuple(refusal for part in parts for refusal in part.refusals),
        findings=tuple(finding for part in parts for finding in part.findings),
    )


def _plan_without_cluster(wanted: Sequence[Addon]) -> PartPlan:
    unpinned = [f"{addon.name} {addon.version}" for addon in wanted if addon.is_required and not addon.manifest]
    finding = (
        f"The cluster does not exist yet, and needs {', '.join(unpinned)}. If an add-on is missing from the new "
        "cluster, the release fails with the name of the missing add-on. Install it and release again."
    )
    pinned = (addon for addon in wanted if addon.manifest)
    steps = (_step(addon, StepAction.CREATE, "if it is missing after the cluster is created") for addon in pinned)
    return PartPlan(steps=tuple(steps), findings=(finding,) if unpinned else ())


def plan_addon(addon: Addon, observed: ObservedAddon) -> PartPlan:
    """The step of an add-on, or a sentence that says how it differs from the settings."""
    if observed.is_installed and observed.version == addon.version:
        advice = f"Check its pods: kubectl get pods -n {addon.namespace}."
        findings = () if observed.is_available else (f"{describe_differences(addon, observed)} {advice}",)
        return PartPlan(steps=(_step(addon, StepAction.NOTHING),), findings=findings)
    if addon.manifest is not None:
        action = StepAction.CHANGE if observed.version else StepAction.CREATE
        return PartPlan(steps=(_step(addon, action, *_describe_changes(addon, observed)),))
    if observed.is_installed or not addon.is_required:
        return PartPlan(findings=(_describe_not_changed(addon, observed),))
    return PartPlan(refusals=(describe_missing(addon, observed),))


def _describe_not_changed(addon: Addon, observed: ObservedAddon) -> str:
    """The note about an add-on that does not block the release, and that the release does not change."""
    what, how = ("change", "update") if observed.is_installed else ("install", "install")
    return (
        f"{describe_differences(addon, observed)} The release does not {what} it. To {how} it, "
        f"{_describe_installation(addon)}."
    )


def describe_missing(addon: Addon, observed: ObservedAddon) -> str:
    """The refusal because of an add-on that the release needs and cannot install."""
    advice = f"{_describe_installation(addon)}, then release again."
    return f"{describe_differences(addon, observed)} {advice[0].upper()}{advice[1:]}"


def _describe_installation(addon: Addon) -> str:
    return f"install {addon.version} manually or set [addons.wanted.manifest]"


def describe_differences(addon: Addon, observed: ObservedAddon) -> str:
    """How the add-on differs from the settings, as a sentence."""
    return f"The add-on {addon.name} differs from the settings: {'; '.join(_differences(addon, observed))}."


def is_as_specified(addon: Addon, observed: ObservedAddon) -> bool:
    """Whether the version is installed with its definitions, and a pod is available."""
    return not _differences(addon, observed)


def judge_addons(wanted: Sequence[Addon], observed: Mapping[str, ObservedAddon] | None) -> Check:
    """FAIL if a release would install an add-on or would be refused, or if an add-on that it needs is not running.

    observed: by name; None if the cluster does not exist. An add-on in another version that a release would not change
    is listed, and does not fail the check.
    """
    if observed is None:
        return Check(name="add-ons", verdict=Verdict.FAIL, seen="the cluster does not exist", wanted=ALL_INSTALLED)
    faulty = [addon for addon in wanted if _is_faulty(addon, observed[addon.name])]
    others = [addon for addon in wanted if addon not in faulty]
    different = [addon for addon in others if not is_as_specified(addon, observed[addon.name])]
    faults = [_describe_addon(addon, observed[addon.name]) for addon in faulty]
    accepted = [f"accepted: {_describe_addon(addon, observed[addon.name])}" for addon in different]
    count = len(others) - len(different)
    seen = "; ".join([*faults, *([f"{count} as specified"] if count else []), *accepted])
    return Check(name="add-ons", verdict=Verdict.FAIL if faulty else Verdict.PASS, seen=seen, wanted=ALL_INSTALLED)


def _is_faulty(addon: Addon, observed: ObservedAddon) -> bool:
    """Whether a release would change the add-on, would be refused because of it, or needs it and it is not running."""
    plan = plan_addon(addon, observed)
    is_changed = any(step.action is not StepAction.NOTHING for step in plan.steps)
    is_down = addon.is_required and not observed.is_available
    return bool(plan.refusals) or is_changed or is_down


def _describe_addon(addon: Addon, observed: ObservedAddon) -> str:
    return f"{addon.name}: {'; '.join(_differences(addon, observed))}"


def are_defined_by_addons(addons: Iterable[Addon], kinds: Iterable[tuple[str, str]]) -> bool:
    """Whether add-ons with a pinned manifest define all of the kinds. kinds: API version and kind."""
    groups = {name.partition(".")[2] for addon in addons if addon.manifest for name in addon.definitions}
    return all(api_version.rpartition("/")[0] in groups for api_version, _ in kinds)


def refuse_missing(kinds: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """A reason to refuse the release for each missing kind. kinds: API version and kind."""
    return tuple(_describe_missing_kind(*kind) for kind in sorted(set(kinds)))


def _describe_missing_kind(api_version: str, kind: str) -> str:
    addon = ADDONS_BY_GROUP.get(api_version.rpartition("/")[0], "the add-on that defines it")
    return f"The cluster does not serve {kind} of {api_version}. Install {addon}, then release again."


def _differences(addon: Addon, observed: ObservedAddon) -> list[str]:
    differences = [f"CustomResourceDefinition {name} does not exist" for name in observed.missing]
    if observed.version is None:
        differences.append(f"Deployment {addon.deployment} does not exist in namespace {addon.namespace}")
    elif observed.version != addon.version:
        differences.append(f"version {observed.version} instead of {addon.version}")
    if observed.version is not None and not observed.is_available:
        differences.append(f"none of its pods in namespace {addon.namespace} is available")
    return differences


def _describe_changes(addon: Addon, observed: ObservedAddon) -> tuple[str, ...]:
    version = f"version: {observed.version or '(none)'} -> {addon.version}"
    return (version, f"manifest: {addon.manifest}", *(f"definition: {name}" for name in observed.missing))


def _step(addon: Addon, action: StepAction, *changes: str) -> Step:
    return Step(phase=Phase.ADDONS, name=addon.name, action=action, reversibility=Reversibility.COSTLY, changes=changes)
