"""What the FHIR input says: typed, dated, in our units, each value with the resource it came from.

Only this package knows the FHIR paths of the input. What cannot be read is kept as well, with the
reason, so that it can be reported.
"""
