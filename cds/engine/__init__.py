"""Which rules hold for a record of facts.

Two engines answer each time: durable-rules behind a guard (:mod:`cds.engine.durable`) and a plain
reading of the same conditions (:mod:`cds.engine.opinion`). If they differ, nobody is advised:
:class:`EngineFault` is raised and the caller fails closed.
"""

from cds.engine.evaluate import Engine, Holding, Opinion
from cds.engine.guard import EngineFault

__all__ = ["Engine", "EngineFault", "Holding", "Opinion"]
