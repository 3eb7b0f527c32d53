"""The names of older clients, each a few lines over our own: a team moves by changing an import line."""
