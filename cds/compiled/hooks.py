"""The hooks: when an EHR sends a request, and how each is judged. The only table; discovery, contract and pages follow from it."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

Hook = Literal["patient-view", "order-select", "order-sign"]
"""How a request is judged, and what rules name: a chart is opened, orders are being selected, orders are about to be signed."""
HOOKS: tuple[Hook, ...] = get_args(Hook)


class Served(NamedTuple):
    """A hook of the CDS Hooks library as it is answered here. ``orders``: the context field that holds the orders being written."""

    judged_as: Hook
    when: str
    orders: Literal["", "draftOrders", "medications"] = ""
    version: str = "1.0"
    unless_set: bool = True  # served if the settings do not say which hooks are


HookName = Literal["patient-view", "order-select", "order-sign", "medication-refill", "encounter-start"]
"""What an EHR may send."""
SERVED: dict[HookName, Served] = {
    "patient-view": Served("patient-view", "when a chart is opened"),
    "order-select": Served("order-select", "while orders are selected", "draftOrders"),
    "order-sign": Served("order-sign", "when orders are signed", "draftOrders"),
    "medication-refill": Served("order-sign", "when a refill is asked for", "medications", "0.1.0"),
    "encounter-start": Served("patient-view", "when an encounter starts", unless_set=False),
}
UNLESS_SET: tuple[HookName, ...] = tuple(name for name, served in SERVED.items() if served.unless_set)


def served_hook(name: object) -> Served | None:
    """The table row of a hook name; None for anything that is not a hook served here."""
    return SERVED.get(name) if isinstance(name, str) else None  # type: ignore[call-overload]  # any text is asked about


def orders_of(hook: object) -> str:
    """The field of the context that holds the orders being written; empty for a hook without any, and for anything that is not a hook."""
    served = served_hook(hook)
    return served.orders if served is not None else ""
