"""The course of sirolimus according to the chart: orders joined, levels and counts judged, other drugs as they were taken.

What several facts share is computed here, once for each case and before any of them; it is not changed afterwards.
``patient`` describes the patient's sirolimus treatment, ``doors`` the ways in which facts read chart and knowledge.
"""
