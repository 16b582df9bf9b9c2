"""Facts as functions: how one is declared, in which order they are computed, and what each of them reads.

This package has no medical knowledge: ``declare`` holds the decorators, ``plan`` the graph that is checked once, when the program is
loaded, and ``case`` the answers about one patient.
"""
