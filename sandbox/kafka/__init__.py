"""Apache Kafka itself: three combined brokers and controllers (KRaft), its jars fetched by Maven."""
