"""Amazon MSK beyond moto: topics on real brokers, configurations, and the addresses of the brokers."""
