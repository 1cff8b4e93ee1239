"""CloudFormation: stacks, change sets and their execution."""
