"""The authgate gate for Flask."""
