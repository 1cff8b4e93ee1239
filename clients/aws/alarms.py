"""The CloudWatch alarms of an environment."""

from clients.aws.session import aws_client, translated

ALARM = "ALARM"


def read_firing_alarms(prefix: str, region: str) -> dict[str, str]:
    """Name -> reason of each alarm in ALARM whose name begins with the prefix. Composite alarms are included."""
    with translated("list the alarms"):
        paginator = aws_client("cloudwatch", region).get_paginator("describe_alarms")
        pages = paginator.paginate(
            AlarmNamePrefix=prefix, StateValue=ALARM, AlarmTypes=["MetricAlarm", "CompositeAlarm"]
        )
        found = [alarm for page in pages for alarm in (*page["MetricAlarms"], *page["CompositeAlarms"])]
    return {
        alarm["AlarmName"]: alarm.get("StateReason") or "no reason given"
        for alarm in found
        if alarm["StateValue"] == ALARM
    }
