import pytest

from delivery.application.addons import (
    ObservedAddon,
    are_installed,
    is_as_wanted,
    judge_addons,
    plan_addon,
    plan_addons,
    read_version,
)
from delivery.canary.verdict import Verdict
from delivery.environment import Addon, PinnedManifest
from delivery.plan import Reversibility, StepAction

ROLLOUTS = Addon(
    name="argo-rollouts",
    version="v1.9.1",
    namespace="argo-rollouts",
    deployment="argo-rollouts",
    definitions=("rollouts.argoproj.io",),
)
PIN = PinnedManifest(url="https://example.org/install.yaml", sha256="a" * 64)
PINNED = ROLLOUTS.model_copy(update={"manifest": PIN})
WELL = ObservedAddon(version="v1.9.1", is_available=True)


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
def test_an_addon_in_the_version_wanted_is_left_alone(addon: Addon) -> None:
    plan = plan_addon(addon, WELL)
    assert [step.action for step in plan.steps] == [StepAction.NOTHING]
    assert (plan.refusals, plan.findings) == ((), ())


@pytest.mark.parametrize(
    ("observed", "why"),
    [
        (WELL.model_copy(update={"missing": ("rollouts.argoproj.io",)}), "there is no definition rollouts.argoproj.io"),
        (ObservedAddon(version=None), "there is no Deployment argo-rollouts in argo-rollouts"),
    ],
)
def test_a_missing_addon_is_refused_or_installed_where_its_manifest_is_pinned(
    observed: ObservedAddon, why: str
) -> None:
    refused, installed = plan_addon(ROLLOUTS, observed), plan_addon(PINNED, observed)
    assert refused.refusals == (
        f"The cluster's argo-rollouts is not as wanted: {why}. Install that version, or pin its manifest in [addons], "
        "then release again.",
    )
    assert [step.way_back for step in installed.steps] == [Reversibility.COSTLY]
    assert installed.refusals == ()


def test_a_missing_addon_that_a_release_can_do_without_is_only_told() -> None:
    agent = ROLLOUTS.model_copy(update={"is_required": False})
    plan = plan_addon(agent, ObservedAddon(version=None))
    assert (plan.steps, plan.refusals) == ((), ())
    assert "there is no Deployment" in plan.findings[0]


def test_another_version_is_told_and_changed_where_its_manifest_is_pinned() -> None:
    older = WELL.model_copy(update={"version": "v1.8.3"})
    assert "found v1.8.3, wanted v1.9.1" in plan_addon(ROLLOUTS, older).findings[0]
    (step,) = plan_addon(PINNED, older).steps
    assert (step.action, step.changes[0]) == (StepAction.CHANGE, "version: v1.8.3 -> v1.9.1")


def test_an_addon_without_available_pods_is_told_and_is_not_as_wanted() -> None:
    still = WELL.model_copy(update={"is_available": False})
    assert "none of its pods in argo-rollouts is available" in plan_addon(ROLLOUTS, still).findings[0]
    assert not is_as_wanted(ROLLOUTS, still)


def test_before_there_is_a_cluster_the_plan_says_what_it_has_to_hold() -> None:
    other = PINNED.model_copy(update={"name": "other"})
    plan = plan_addons([ROLLOUTS, other], None)
    assert [step.name for step in plan.steps] == ["other"]
    assert plan.findings[0].startswith("The cluster is yet to be made, and has to hold argo-rollouts v1.9.1. Where it")


def test_kinds_are_brought_by_pinned_addons_alone() -> None:
    rollout = ("argoproj.io/v1alpha1", "Rollout")
    assert are_installed([PINNED], [rollout])
    assert not are_installed([ROLLOUTS], [rollout])
    assert not are_installed([PINNED], [rollout, ("elbv2.k8s.aws/v1beta1", "TargetGroupBinding")])


AGENT = ROLLOUTS.model_copy(update={"name": "agent", "deployment": "agent", "is_required": False})


def judged(**observed: ObservedAddon) -> tuple[Verdict, str]:
    check = judge_addons(
        [ROLLOUTS, AGENT], {"argo-rollouts": observed.get("rollouts", WELL), "agent": observed["agent"]}
    )
    return check.verdict, check.seen


def test_addons_in_the_versions_wanted_pass_the_check() -> None:
    assert judged(agent=WELL) == (Verdict.PASS, "2 in the version wanted")


def test_a_version_that_a_release_leaves_and_an_addon_that_it_can_do_without_are_told_and_pass() -> None:
    older = WELL.model_copy(update={"version": "v1.8.3"})
    assert judged(rollouts=older, agent=ObservedAddon(version=None)) == (
        Verdict.PASS,
        "besides argo-rollouts: found v1.8.3, wanted v1.9.1; "
        "besides agent: there is no Deployment agent in argo-rollouts",
    )


@pytest.mark.parametrize(
    ("observed", "why"),
    [
        (ObservedAddon(version=None), "argo-rollouts: there is no Deployment argo-rollouts in argo-rollouts"),
        (WELL.model_copy(update={"missing": ("a.b",)}), "argo-rollouts: there is no definition a.b"),
        (
            WELL.model_copy(update={"is_available": False}),
            "argo-rollouts: none of its pods in argo-rollouts is available",
        ),
    ],
)
def test_a_needed_addon_that_is_missing_or_does_not_run_fails_the_check(observed: ObservedAddon, why: str) -> None:
    assert judged(rollouts=observed, agent=WELL) == (Verdict.FAIL, f"{why}; 1 in the version wanted")


def test_an_addon_that_the_next_release_would_install_fails_the_check() -> None:
    older = {"argo-rollouts": WELL.model_copy(update={"version": "v1.8.3"})}
    assert judge_addons([PINNED], older).verdict is Verdict.FAIL


def test_without_a_cluster_there_are_no_addons() -> None:
    check = judge_addons([ROLLOUTS], None)
    assert (check.verdict, check.seen) == (Verdict.FAIL, "there is no cluster")
