"""CDS Hooks over HTTP: discovery, the three services, and errors as OperationOutcome."""
