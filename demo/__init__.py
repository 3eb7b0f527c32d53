"""The demonstration: four apps behind authgate, asked the same questions over real HTTP."""
