"""The authgate gate for FastAPI."""
