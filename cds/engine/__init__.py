"""Which rules hold for a record of facts.

Two engines answer each time: durable-rules behind a guard (:mod:`cds.engine.durable`) and a plain
evaluation of the same conditions (:mod:`cds.engine.plain`). If they differ, no advice is given:
:class:`EngineFault` is raised and the caller fails closed.
"""

from cds.engine.evaluate import CheckedEngine, Evaluator, PlainEvaluator
from cds.engine.guard import EngineFault
from cds.engine.verdict import Explained, Holding, Verdict

__all__ = ["CheckedEngine", "EngineFault", "Evaluator", "Explained", "Holding", "PlainEvaluator", "Verdict"]
