"""What is wanted, as frozen, strict models that round-trip through YAML."""
