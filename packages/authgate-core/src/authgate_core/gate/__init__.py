"""The gate: composes rooms, rules and ports from a configuration."""
