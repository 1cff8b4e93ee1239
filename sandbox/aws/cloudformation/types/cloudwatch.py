"""AWS::CloudWatch: alarms, composite alarms and dashboards."""

import json
from typing import Any

from sandbox.aws.cloudformation.model.resource_type import Deployed, Properties, PutType, ReturnValues, resource_type
from sandbox.aws.cloudformation.types.values import flag, numbers, picked, tag_list


@resource_type("AWS::CloudWatch::Alarm", named_by="AlarmName")
class Alarm(PutType):
    def put(self, name: str, properties: Properties) -> ReturnValues:
        wanted: dict[str, Any] = {key: value for key, value in properties.items() if key not in ("Tags", "AlarmName")}
        wanted |= numbers(properties, "EvaluationPeriods", "DatapointsToAlarm", "Period")
        if "Threshold" in wanted:
            wanted["Threshold"] = float(wanted["Threshold"])
        if "ActionsEnabled" in wanted:
            wanted["ActionsEnabled"] = flag(wanted["ActionsEnabled"])
        self.cloud.client("cloudwatch").put_metric_alarm(AlarmName=name, Tags=tag_list(properties), **wanted)
        return ReturnValues(name, {"Arn": self.cloud.arn("cloudwatch", f"alarm:{name}")})

    def delete(self, deployed: Deployed) -> None:
        self.cloud.client("cloudwatch").delete_alarms(AlarmNames=[deployed.physical_id])


@resource_type("AWS::CloudWatch::CompositeAlarm", named_by="AlarmName")
class CompositeAlarm(PutType):
    def put(self, name: str, properties: Properties) -> ReturnValues:
        wanted = picked(properties, "AlarmDescription", "AlarmActions", "OKActions", "InsufficientDataActions")
        self.cloud.client("cloudwatch").put_composite_alarm(
            AlarmName=name, AlarmRule=properties["AlarmRule"], Tags=tag_list(properties), **wanted
        )
        return ReturnValues(name, {"Arn": self.cloud.arn("cloudwatch", f"alarm:{name}")})

    def delete(self, deployed: Deployed) -> None:
        self.cloud.client("cloudwatch").delete_alarms(AlarmNames=[deployed.physical_id])


@resource_type("AWS::CloudWatch::Dashboard", named_by="DashboardName")
class Dashboard(PutType):
    def put(self, name: str, properties: Properties) -> ReturnValues:
        body = properties["DashboardBody"]
        self.cloud.client("cloudwatch").put_dashboard(
            DashboardName=name, DashboardBody=body if isinstance(body, str) else json.dumps(body)
        )
        return ReturnValues(name)

    def delete(self, deployed: Deployed) -> None:
        self.cloud.client("cloudwatch").delete_dashboards(DashboardNames=[deployed.physical_id])
