"""CloudFormation stacks: what the cloud assembly wants, what is deployed, and what a change set would do."""
