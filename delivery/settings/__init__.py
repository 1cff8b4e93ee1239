"""The settings that describe the stacks, the topics and the application of an environment."""
