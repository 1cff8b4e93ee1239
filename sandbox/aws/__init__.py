"""AWS on loopback: moto's server, mended where a careful deployer looks, with faults by name."""
