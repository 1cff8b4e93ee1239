"""The AWS account of the credentials."""

from clients.aws.session import aws_client, translated


def read_account_id(region: str) -> str:
    """The number of the account that the credentials belong to."""
    with translated("read the AWS account of the credentials"):
        return aws_client("sts", region).get_caller_identity()["Account"]
