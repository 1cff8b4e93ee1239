"""Kafka topics, through the Kafka protocol or through the API of Amazon MSK."""
