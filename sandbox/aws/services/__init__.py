"""AWS services: corrections of moto, and operations that moto lacks."""
