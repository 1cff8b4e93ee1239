"""Amazon MSK beyond moto: topics on the real brokers, configurations and the brokers' addresses."""
