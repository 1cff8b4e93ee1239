"""What all stacks share: their names, their safety, and how they hand values on."""

import aws_cdk as cdk
from aws_cdk import aws_ssm as ssm
from constructs import Construct, IConstruct

from stacks.outputs import OUTPUTS
from stacks.parameters import Parameters

# Kept when the stack is updated or deleted; but a creation that is rolled back takes them along, since
# what it left behind would keep the name and fail every later attempt.
KEEP = cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
ZONES = (1, 2, 3)


class BaseStack(cdk.Stack):
    """A stack named after its environment, protected from deletion, deployable without bootstrap.

    Account and region are those of the session that deploys, so one assembly serves any account.
    """

    def __init__(
        self, scope: Construct, stack_id: str, parameters: Parameters, *, suffix: str, description: str
    ) -> None:
        super().__init__(
            scope,
            stack_id,
            stack_name=f"{parameters.prefix}-{suffix}",
            description=description,
            synthesizer=cdk.LegacyStackSynthesizer(),
            termination_protection=True,
            analytics_reporting=False,
        )
        self.parameters = parameters
        self.prefix = parameters.prefix
        cdk.Tags.of(self).add("Project", parameters.project)
        cdk.Tags.of(self).add("Environment", parameters.environment)

    def publish(self, name: str, value: str) -> None:
        """Hand a value to later stacks through the parameter store, and show it if it is one of OUTPUTS.

        An Export would forbid changing the value for as long as another stack imports it.
        """
        ssm.StringParameter(self, f"{name}Parameter", parameter_name=self.parameters.path(name), string_value=value)
        if name in OUTPUTS[self.node.id]:
            cdk.CfnOutput(self, name, value=value)

    def read(self, name: str) -> str:
        """The value that an earlier stack published, as CloudFormation will read it at the change set."""
        return ssm.StringParameter.value_for_string_parameter(self, self.parameters.path(name))


def acknowledge(construct: IConstruct, reason: str, *rules: str) -> None:
    """Let a construct break rules of cdk-nag, for a reason."""
    for rule in rules:
        cdk.Validations.of(construct).acknowledge(cdk.Acknowledgment(id=rule, reason=reason))
