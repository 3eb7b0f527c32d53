"""The names of older clients, one module for each: change the import line, and the rest goes on."""
