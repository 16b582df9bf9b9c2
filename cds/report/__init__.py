"""A patient's chart judged, as one page that stands by itself: the picture, the cards, the facts, and what is missing."""
