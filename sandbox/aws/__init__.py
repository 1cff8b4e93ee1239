"""AWS on loopback: the server of moto with corrections and additions, its own CloudFormation, and fault injection."""
