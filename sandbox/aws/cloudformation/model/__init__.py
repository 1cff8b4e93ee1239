"""The stored records of CloudFormation, its errors, and the interface of a resource type."""
