"""The public vectors are not part of the repository: without AUTHGATE_VECTORS there is nothing to collect."""

from __future__ import annotations

import os

collect_ignore = [] if "AUTHGATE_VECTORS" in os.environ else ["test_upstream_vectors.py"]
