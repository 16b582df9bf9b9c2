"""Knowledge as the program reads it: what the rules folder says, checked and compiled, small and frozen.

The ground on which chart, facts and engine stand. ``cds.knowledge`` writes it, from the rules folder and against the facts.
"""
