"""Rule files in, checked and compiled knowledge out.

``rules/`` is what a clinician reads and signs. This package reads it with the place of every word
kept, reports every fault at once in prose, and compiles what is sound into :class:`Knowledge`.
"""
