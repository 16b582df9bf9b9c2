"""The judgement of a patient's chart as one self-contained page: the picture, the cards, the facts, and what is missing."""
