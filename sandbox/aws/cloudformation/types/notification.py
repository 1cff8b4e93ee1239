"""AWS::SNS and AWS::SQS: topics, their policies and subscriptions, and queues."""

import json
from typing import Any

from sandbox.aws.cloudformation.model.resource_type import (
    Deployed,
    Properties,
    PutType,
    ResourceType,
    ReturnValues,
    resource_type,
)
from sandbox.aws.cloudformation.types.values import picked, tag_list, tag_map


@resource_type("AWS::SNS::Topic", named_by="TopicName")
class Topic(ResourceType):
    def create(self, name: str, properties: Properties) -> ReturnValues:
        sns = self.cloud.client("sns")
        arn = sns.create_topic(Name=name, Tags=tag_list(properties), Attributes=_attributes(properties))["TopicArn"]
        for subscription in properties.get("Subscription", []):
            sns.subscribe(TopicArn=arn, Protocol=subscription["Protocol"], Endpoint=subscription["Endpoint"])
        return ReturnValues(arn, {"TopicArn": arn, "TopicName": name})

    def update(self, deployed: Deployed, wanted: Properties) -> ReturnValues | None:
        values = {**dict.fromkeys(_attributes(deployed.properties), ""), **_attributes(wanted)}
        for name, value in values.items():
            self.cloud.client("sns").set_topic_attributes(
                TopicArn=deployed.physical_id, AttributeName=name, AttributeValue=value
            )
        return None

    def delete(self, deployed: Deployed) -> None:
        self.cloud.client("sns").delete_topic(TopicArn=deployed.physical_id)


def _attributes(properties: Properties) -> dict[str, str]:
    return {key: str(value) for key, value in picked(properties, "DisplayName", "KmsMasterKeyId").items()}


@resource_type("AWS::SNS::TopicPolicy")
class TopicPolicy(PutType):
    def put(self, name: str, properties: Properties) -> ReturnValues:
        policy = json.dumps(properties["PolicyDocument"])
        for topic in properties["Topics"]:
            self.cloud.client("sns").set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)
        return ReturnValues(name, {"Id": name})

    def delete(self, deployed: Deployed) -> None:
        """Nothing: as on AWS, the policy stays until another policy is set or the topic is deleted."""


@resource_type("AWS::SNS::Subscription")
class Subscription(ResourceType):
    def create(self, name: str, properties: Properties) -> ReturnValues:  # noqa: ARG002 - a subscription has no name
        wanted: dict[str, Any] = picked(properties, "TopicArn", "Protocol", "Endpoint")
        arn = self.cloud.client("sns").subscribe(**wanted, ReturnSubscriptionArn=True)["SubscriptionArn"]
        return ReturnValues(arn, {"Arn": arn})

    def update(self, deployed: Deployed, wanted: Properties) -> ReturnValues | None:
        for name in ("FilterPolicy", "RawMessageDelivery"):
            if name in wanted:
                value = wanted[name] if isinstance(wanted[name], str) else json.dumps(wanted[name])
                self.cloud.client("sns").set_subscription_attributes(
                    SubscriptionArn=deployed.physical_id, AttributeName=name, AttributeValue=value
                )
        return None

    def delete(self, deployed: Deployed) -> None:
        self.cloud.client("sns").unsubscribe(SubscriptionArn=deployed.physical_id)


QUEUE_ATTRIBUTES = (
    "DelaySeconds",
    "FifoQueue",
    "KmsMasterKeyId",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "ReceiveMessageWaitTimeSeconds",
    "VisibilityTimeout",
)


@resource_type("AWS::SQS::Queue", named_by="QueueName")
class Queue(ResourceType):
    def create(self, name: str, properties: Properties) -> ReturnValues:
        sqs = self.cloud.client("sqs")
        url = sqs.create_queue(QueueName=name, Attributes=_queue(properties), tags=tag_map(properties))["QueueUrl"]
        return ReturnValues(url, {"Arn": self.cloud.arn("sqs", name), "QueueName": name, "QueueUrl": url})

    def update(self, deployed: Deployed, wanted: Properties) -> ReturnValues | None:
        self.cloud.client("sqs").set_queue_attributes(QueueUrl=deployed.physical_id, Attributes=_queue(wanted))
        return None

    def delete(self, deployed: Deployed) -> None:
        self.cloud.client("sqs").delete_queue(QueueUrl=deployed.physical_id)


def _queue(properties: Properties) -> dict[str, str]:
    values = picked(properties, *QUEUE_ATTRIBUTES)
    return {key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in values.items()}
