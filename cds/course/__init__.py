"""The course of sirolimus as the chart tells it: orders joined, levels and counts judged, other drugs as they were taken.

What several facts share is worked out here, once a case and before any of them; nobody changes it afterwards. ``patient``
says where the patient stands with sirolimus, ``doors`` by which ways facts read chart and knowledge.
"""
