"""What FHIR says: typed, dated, in our units, each value with the resource it came from.

Only this package knows FHIR paths of the input. What cannot be read is kept beside what can,
with the reason, so that it can be said aloud.
"""
