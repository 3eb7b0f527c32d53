"""The benchmarks: what authgate adds to the same work without it, as ratios taken inside one run."""
