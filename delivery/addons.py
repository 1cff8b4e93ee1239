"""What a cluster must serve for a release, and which add-on brings it."""

from collections.abc import Iterable

# By API group: whose kinds the manifests or the release itself need.
ADD_ONS = {"argoproj.io": "Argo Rollouts", "elbv2.k8s.aws": "the AWS Load Balancer Controller"}
# Of a release itself: the weights' target groups are told by these.
NEEDED = (("argoproj.io/v1alpha1", "Rollout"), ("elbv2.k8s.aws/v1beta1", "TargetGroupBinding"))


def refuse_missing(kinds: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """A refusal for each kind that the cluster does not serve. kinds: API version and kind."""
    return tuple(_describe(*kind) for kind in sorted(set(kinds)))


def _describe(api_version: str, kind: str) -> str:
    add_on = ADD_ONS.get(api_version.rpartition("/")[0])
    bring = f"Install {add_on}" if add_on else "Install what brings it"
    return f"The cluster does not serve {kind} of {api_version}. {bring}, then release again."
