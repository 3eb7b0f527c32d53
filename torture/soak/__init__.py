"""Both gates at full speed for minutes, while issuer and Redis fail at random: ``nox -s soak``."""
