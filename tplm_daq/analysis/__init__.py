"""From counts to D with an honest interval."""
