"""What authgate promises while the issuer or Redis misbehaves, tried with real ones: ``nox -s torture``."""
