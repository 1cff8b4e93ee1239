"""Resource types of CloudFormation, one module per service. They call the APIs of the services."""
