"""Apache Kafka: three brokers that are also controllers (KRaft). Maven downloads the jars."""
