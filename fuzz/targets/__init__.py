"""One module for each parser: ``probe(data)`` raises where a promise is broken, ``seeds()`` begins."""
