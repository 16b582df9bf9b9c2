"""Findings into cards: texts, order, merging, and the orders that a suggestion would write."""
