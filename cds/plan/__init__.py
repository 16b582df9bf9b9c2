"""Facts as functions: how one is declared, in which order they are worked out, and what each of them reads.

Nothing here knows medicine: ``declare`` holds the decorators, ``plan`` the graph that is checked once, when the program is
loaded, and ``case`` the answers about one patient.
"""
