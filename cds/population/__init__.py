"""A whole export judged at once: who takes sirolimus, who needs attention today, and what came of it."""
