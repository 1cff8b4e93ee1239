"""The data plane of the Application Load Balancers. Its only configuration is that of elbv2."""
