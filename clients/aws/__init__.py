"""AWS, by boto3: one session, and what the product asks of each service."""
