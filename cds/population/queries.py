"""The parameters with which a bulk server's $export is asked for the data."""

from __future__ import annotations

from urllib.parse import quote

from cds.chart.prefetch import PREFETCH_TYPES
from cds.compiled.knowledge import Knowledge


def queries_of(knowledge: Knowledge) -> str:
    """The parameters of two exports: one for the orders by which patients are found, one for all data of these patients.

    A server that does not support ``_typeFilter`` exports more; this program leaves out what is not about sirolimus.
    """
    codes = [
        f"{system}|{code}"
        for system, of_system in sorted(knowledge.codes.items())
        for code, meant in sorted(of_system.items())
        if any(each.valueset == "sirolimus" and each.oral for each in meant)
    ]
    kinds = ",".join([*PREFETCH_TYPES.values(), "Medication"])
    orders = f"MedicationRequest?code={','.join(codes)}"
    return "\n".join(
        [
            "# who: orders of oral sirolimus by code; orders by name alone are not found so",
            f"_type=MedicationRequest&_typeFilter={quote(orders.replace(',', '%2C'), safe='')}",  # servers split filters at commas
            "# the same filter as clients take it that encode by themselves",
            orders,
            "# and for these patients (patient=..., or a Group), everything that is read",
            f"_type={kinds}",
        ]
    )
