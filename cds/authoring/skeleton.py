"""A new rule, with everything that a rule needs. The places to fill in are marked TODO, which `check` does not accept."""

from __future__ import annotations

from cds.knowledge.checks import TODO

_RULE = """id: {name}
title: {todo} what it is about, in a few words
hooks: [patient-view]                      # also: order-select, order-sign
priority: 50                               # 1 comes first among cards of one urgency
when:
  - itp_on_record is true
  - trough < {{trough_low}} ng/mL            # a fact, a comparison, and a number with its unit; cds/vocabulary.py lists the facts
card:
  indicator: info                          # or warning, critical
  summary: "{todo} what the clinician reads first: trough {{trough}} ng/mL"
  because:
    - "{todo} the values that it rests on: Level: {{trough as reported}}. A line that names a fact which is not known is left out."
  consider:
    - "{todo} what to think of"
  working:
    - "{todo} how it came about, and what would change it"
override: [known-monitored, data-wrong]    # why it may be set aside; see override-reasons.yaml
sources:
  - cite: judgement                        # a key of sources.yaml
    states: {todo} what the source states, with every number that the conditions write out.
    grade: D                               # A label or guideline, B consistent studies, C small study, D judgement
    basis: JUDGEMENT                       # SEEN in the source, DERIVED from it, RECALLED, or JUDGEMENT
background: {{itp_on_record: true}}          # facts that all cases share
cases:
  - case: {todo} just below the number
    given: {{trough: 4.9}}
    card: "{todo} the summary, with the values filled in"
  - case: {todo} at the number
    given: {{trough: 5}}
    card: none
  - case: {todo} without the condition that comes first
    given: {{trough: 4.9, itp_on_record: false}}
    card: none
"""


def skeleton(name: str) -> str:
    """The text of a new rule of that id."""
    return _RULE.format(name=name, todo=TODO)
