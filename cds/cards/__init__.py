"""Turns findings into cards: their texts, sequence and merging, and the orders that a suggestion would write."""
