"""CloudFormation stacks: the cloud assembly, the deployed stacks, and the changes of a change set."""
