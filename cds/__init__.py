"""Decision support for sirolimus in primary immune thrombocytopenia (ITP)."""

__version__ = "0.1.0"
