"""CloudFormation: change sets, their execution and what can be read of both."""
