"""Flows: what the gate does, written once for both colours as generators that yield effects."""
