"""AWS::CloudWatch: alarms, composite alarms and dashboards."""

from typing import Any

from sandbox.aws.types.resource import Deployed, Made, Properties, PutType, resource_type
from sandbox.aws.types.values import flag, numbers, tag_list


@resource_type("AWS::CloudWatch::Alarm", named_by="AlarmName")
class Alarm(PutType):
    def put(self, name: str, properties: Properties) -> Made:
        wanted: dict[str, Any] = {key: value for key, value in properties.items() if key not in ("Tags", "AlarmName")}
        wanted |= numbers(properties, "EvaluationPeriods", "DatapointsToAlarm", "Period")
        if "Threshold" in wanted:
            wanted["Threshold"] = float(wanted["Threshold"])
        if "ActionsEnabled" in wanted:
            wanted["ActionsEnabled"] = flag(wanted["ActionsEnabled"])
        self.cloud.client("cloudwatch").put_metric_alarm(AlarmName=name, Tags=tag_list(properties), **wanted)
        return Made(name, {"Arn": self.cloud.arn("cloudwatch", f"alarm:{name}")})

    def delete(self, deployed: Deployed) -> None:
        self.cloud.client("cloudwatch").delete_alarms(AlarmNames=[deployed.physical_id])
