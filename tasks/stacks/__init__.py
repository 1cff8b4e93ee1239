"""CloudFormation stacks: change sets are previewed and executed, and operations are followed to their end."""
