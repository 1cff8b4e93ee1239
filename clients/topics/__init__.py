"""Kafka topics, by the Kafka protocol or by the API of Amazon MSK."""
