"""The demonstration: one Flask and one FastAPI app behind authgate, asked the same questions over real HTTP."""
