"""Resource types of CloudFormation, one file per service; they act through the services' own APIs."""
