import pytest

from delivery.application.addons import (
    ObservedAddon,
    are_defined_by_addons,
    is_as_specified,
    judge_addons,
    plan_addon,
    plan_addons,
    read_version,
)
from delivery.canary.verdict import Verdict
from delivery.plan import Reversibility, StepAction
from delivery.settings.cluster import Addon, PinnedManifest

ROLLOUTS = Addon(
    name="argo-rollouts",
    version="v1.9.1",
    namespace="argo-rollouts",
    deployment="argo-rollouts",
    definitions=("rollouts.argoproj.io",),
)
PIN = PinnedManifest(url="https://example.org/install.yaml", sha256="a" * 64)
PINNED = ROLLOUTS.model_copy(update={"manifest": PIN})
INSTALLED = ObservedAddon(version="v1.9.1", is_available=True)


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("quay.io/argoproj/argo-rollouts:v1.9.1", "v1.9.1"),
        ("registry:5000/argo-rollouts:v1.9.1@sha256:abc", "v1.9.1"),
        ("registry:5000/argo-rollouts@sha256:abc", "sha256:abc"),
        ("registry:5000/argo-rollouts", "latest"),
    ],
)
def test_a_version_is_the_tag_of_an_image(image: str, version: str) -> None:
    assert read_version(image) == version


@pytest.mark.parametrize("addon", [ROLLOUTS, PINNED])
def test_an_addon_in_the_wanted_version_is_not_changed(addon: Addon) -> None:
    plan = plan_addon(addon, INSTALLED)
    assert [step.action for step in plan.steps] == [StepAction.NOTHING]
    assert (plan.refusals, plan.findings) == ((), ())


@pytest.mark.parametrize(
    ("observed", "why"),
    [
        (
            INSTALLED.model_copy(update={"missing": ("rollouts.argoproj.io",)}),
            "CustomResourceDefinition rollouts.argoproj.io does not exist",
        ),
        (ObservedAddon(version=None), "Deployment argo-rollouts does not exist in namespace argo-rollouts"),
    ],
)
def test_a_missing_addon_is_refused_or_installed_if_its_manifest_is_pinned(observed: ObservedAddon, why: str) -> None:
    refused, installed = plan_addon(ROLLOUTS, observed), plan_addon(PINNED, observed)
    assert refused.refusals == (
        f"The add-on argo-rollouts differs from the settings: {why}. Install v1.9.1 manually or set "
        "[addons.wanted.manifest], then release again.",
    )
    assert [step.reversibility for step in installed.steps] == [Reversibility.COSTLY]
    assert installed.refusals == ()


def test_a_missing_addon_that_a_release_does_not_need_is_a_finding() -> None:
    agent = ROLLOUTS.model_copy(update={"is_required": False})
    plan = plan_addon(agent, ObservedAddon(version=None))
    assert (plan.steps, plan.refusals) == ((), ())
    assert plan.findings == (
        "The add-on argo-rollouts differs from the settings: Deployment argo-rollouts does not exist in namespace "
        "argo-rollouts. The release does not install it. To install it, install v1.9.1 manually or set "
        "[addons.wanted.manifest].",
    )


def test_another_version_is_a_finding_or_is_changed_if_its_manifest_is_pinned() -> None:
    older = INSTALLED.model_copy(update={"version": "v1.8.3"})
    assert plan_addon(ROLLOUTS, older).findings == (
        "The add-on argo-rollouts differs from the settings: version v1.8.3 instead of v1.9.1. The release does not "
        "change it. To update it, install v1.9.1 manually or set [addons.wanted.manifest].",
    )
    (step,) = plan_addon(PINNED, older).steps
    assert (step.action, step.changes[0]) == (StepAction.CHANGE, "version: v1.8.3 -> v1.9.1")


def test_an_addon_without_available_pods_is_a_finding_and_not_as_specified() -> None:
    down = INSTALLED.model_copy(update={"is_available": False})
    assert "none of its pods in namespace argo-rollouts is available" in plan_addon(ROLLOUTS, down).findings[0]
    assert not is_as_specified(ROLLOUTS, down)


def test_without_a_cluster_the_plan_says_which_addons_it_needs() -> None:
    other = PINNED.model_copy(update={"name": "other"})
    plan = plan_addons([ROLLOUTS, other], None)
    assert [step.name for step in plan.steps] == ["other"]
    assert plan.findings[0].startswith(
        "The cluster does not exist yet, and needs argo-rollouts v1.9.1. If an add-on is"
    )


def test_only_addons_with_a_pinned_manifest_define_kinds() -> None:
    rollout = ("argoproj.io/v1alpha1", "Rollout")
    assert are_defined_by_addons([PINNED], [rollout])
    assert not are_defined_by_addons([ROLLOUTS], [rollout])
    assert not are_defined_by_addons([PINNED], [rollout, ("elbv2.k8s.aws/v1beta1", "TargetGroupBinding")])


AGENT = ROLLOUTS.model_copy(update={"name": "agent", "deployment": "agent", "is_required": False})


def judge(**observed: ObservedAddon) -> tuple[Verdict, str]:
    check = judge_addons(
        [ROLLOUTS, AGENT], {"argo-rollouts": observed.get("rollouts", INSTALLED), "agent": observed["agent"]}
    )
    return check.verdict, check.seen


def test_addons_in_the_wanted_versions_pass_the_check() -> None:
    assert judge(agent=INSTALLED) == (Verdict.PASS, "2 as specified")


def test_a_version_that_a_release_does_not_change_and_an_addon_that_it_does_not_need_pass_the_check() -> None:
    older = INSTALLED.model_copy(update={"version": "v1.8.3"})
    assert judge(rollouts=older, agent=ObservedAddon(version=None)) == (
        Verdict.PASS,
        "accepted: argo-rollouts: version v1.8.3 instead of v1.9.1; "
        "accepted: agent: Deployment agent does not exist in namespace argo-rollouts",
    )


@pytest.mark.parametrize(
    ("observed", "why"),
    [
        (
            ObservedAddon(version=None),
            "argo-rollouts: Deployment argo-rollouts does not exist in namespace argo-rollouts",
        ),
        (
            INSTALLED.model_copy(update={"missing": ("a.b",)}),
            "argo-rollouts: CustomResourceDefinition a.b does not exist",
        ),
        (
            INSTALLED.model_copy(update={"is_available": False}),
            "argo-rollouts: none of its pods in namespace argo-rollouts is available",
        ),
    ],
)
def test_a_needed_addon_that_is_missing_or_does_not_run_fails_the_check(observed: ObservedAddon, why: str) -> None:
    assert judge(rollouts=observed, agent=INSTALLED) == (Verdict.FAIL, f"{why}; 1 as specified")


def test_an_addon_that_the_next_release_would_install_fails_the_check() -> None:
    older = {"argo-rollouts": INSTALLED.model_copy(update={"version": "v1.8.3"})}
    assert judge_addons([PINNED], older).verdict is Verdict.FAIL


def test_without_a_cluster_the_check_of_the_addons_fails() -> None:
    check = judge_addons([ROLLOUTS], None)
    assert (check.verdict, check.seen) == (Verdict.FAIL, "the cluster does not exist")
