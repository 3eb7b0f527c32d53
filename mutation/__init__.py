"""Mutation testing of the rooms that decide: each small change of their code must make a test fail (ADR 0022)."""
