"""One gate in front of any Python API."""
