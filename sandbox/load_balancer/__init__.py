"""The data plane of the sandbox's Application Load Balancers, configured by elbv2 alone."""
