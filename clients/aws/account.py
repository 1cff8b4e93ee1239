"""Who we are to AWS."""

from clients.aws.session import aws_client, translated


def read_account_id(region: str) -> str:
    """The account that our credentials belong to."""
    with translated("ask AWS whose credentials these are"):
        return aws_client("sts", region).get_caller_identity()["Account"]
