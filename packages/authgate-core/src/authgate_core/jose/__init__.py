"""JOSE, strictly: ``compact`` parses, ``keys`` loads, ``signature`` and ``claims`` check, ``verify`` joins.

PyJWT reads keys and ``cryptography`` verifies. PyJWT's ``decode`` is not used: it reads more laxly than Law 3.1 allows
and costs several times as much as the signature that it checks.
"""
