"""ObservabilityStack: alarms and their SNS topic, the dashboard, the application's logs, its traces."""

import json
import re
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_xray as xray
from constructs import Construct

from stacks import outputs
from stacks.alarms import AlarmRule, Watched, list_alarms
from stacks.base import KEEP, ZONES, BaseStack
from stacks.parameters import Parameters
from stacks.rds import CACHE_NODES

DASHBOARD = Path(__file__).parents[2] / "dashboards" / "observability.json"
PERIOD = cdk.Duration.minutes(5)
PERIODS = 3


class ObservabilityStack(BaseStack):
    """Watches what the other stacks made; it depends on those that it reads."""

    def __init__(self, scope: Construct, stack_id: str, parameters: Parameters) -> None:
        super().__init__(scope, stack_id, parameters, suffix="observability", description="Alarms, dashboard and logs")
        self.watched = Watched(
            database=self.read(outputs.DATABASE_ID),
            brokers=self.read(outputs.MSK_CLUSTER_NAME),
            cache=self.read(outputs.CACHE_ID),
            cluster=self.read(outputs.EKS_CLUSTER_NAME),
        )
        topic = self.create_topic()
        for rule in list_alarms(parameters, self.watched, len(ZONES), CACHE_NODES):
            self.create_alarm(rule, topic)
        self.create_dashboard()
        self.create_log_groups()
        xray.CfnGroup(
            self,
            "Traces",
            group_name=self.prefix,
            filter_expression=f'service("{parameters.project}-backend")',
        )
        self.publish(outputs.ALERTS_TOPIC_ARN, topic.topic_arn)

    def create_topic(self) -> sns.Topic:
        """An encrypted topic to which this account's alarms may publish."""
        topic = sns.Topic(
            self,
            "Alerts",
            topic_name=f"{self.prefix}-alerts",
            master_key=kms.Key.from_key_arn(self, "AlertsKey", self.read(outputs.ALERTS_KEY_ARN)),
            enforce_ssl=True,
        )
        # A topic's own policy replaces the default one, by which the account's alarms could publish.
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": self.account}},
            )
        )
        return topic

    def create_alarm(self, rule: AlarmRule, topic: sns.Topic) -> None:
        """An alarm that notifies the SNS topic when it goes into ALARM and when it returns to OK."""
        comparison, missing = cloudwatch.ComparisonOperator, cloudwatch.TreatMissingData
        alarm = cloudwatch.Alarm(
            self,
            rule.name.title().replace("-", ""),
            alarm_name=f"{self.prefix}-{rule.name}",
            metric=cloudwatch.Metric(
                namespace=rule.namespace,
                metric_name=rule.metric,
                statistic=rule.statistic,
                period=PERIOD,
                dimensions_map=dict(rule.dimensions) or None,
            ),
            threshold=rule.threshold,
            evaluation_periods=PERIODS,
            comparison_operator=comparison.LESS_THAN_THRESHOLD if rule.is_floor else comparison.GREATER_THAN_THRESHOLD,
            treat_missing_data=missing.BREACHING if rule.missing_is_bad else missing.MISSING,
        )
        alarm.add_alarm_action(actions.SnsAction(topic))
        alarm.add_ok_action(actions.SnsAction(topic))

    def create_dashboard(self) -> None:
        """The guide's dashboard; CloudFormation fills in what is in ${...}."""
        body = json.dumps(json.loads(DASHBOARD.read_text("utf-8")), separators=(",", ":"))
        load_balancer = re.split(r"[^a-z0-9]+", f"{self.prefix}-alb")
        values = {
            "Namespace": self.parameters.metric_namespace,
            "Brokers": self.watched.brokers,
            # A load balancer's dimension ends in an id that is known when it exists, so its name is searched by words.
            "LoadBalancer": " ".join(load_balancer),
        }
        dashboard = cloudwatch.CfnDashboard(
            self, "Dashboard", dashboard_name=f"{self.prefix}-observability", dashboard_body=cdk.Fn.sub(body, values)
        )
        self.publish(outputs.DASHBOARD_NAME, dashboard.ref)

    def create_log_groups(self) -> None:
        """Where the logs of the pods go."""
        for name in ("application", "frontend"):
            logs.LogGroup(
                self,
                f"{name.title()}Logs",
                log_group_name=self.parameters.path(name),
                retention=logs.RetentionDays.THREE_MONTHS,
                removal_policy=KEEP,
            )
