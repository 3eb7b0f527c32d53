"""Coverage-guided fuzzing of everything that reads what others wrote: ``nox -s fuzz -- --seconds 60``."""
