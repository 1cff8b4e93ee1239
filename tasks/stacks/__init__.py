"""CloudFormation stacks: previewed, deployed by change sets, and followed to their end."""
