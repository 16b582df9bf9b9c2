"""Knowledge as the program reads it: what the rules folder says, checked and compiled, small and frozen.

Chart, facts and engine are built on it. ``cds.knowledge`` produces it from the rules folder, checked against the facts.
"""
