"""What was advised, by which rules and why, and what clinicians did with it: kept durably, where a site asks for it."""
