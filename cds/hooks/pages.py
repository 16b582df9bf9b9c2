"""The service as pages for people: what an analyst types into an EHR, and what the service can do."""

from __future__ import annotations

from cds.cards.order import MAX_CARDS
from cds.chart.prefetch import PREFETCH_TYPES, type_of, whole_of
from cds.compiled.hooks import SERVED, UNLESS_SET
from cds.compiled.knowledge import Knowledge
from cds.hooks.discovery import discovery, prefetch
from cds.hooks.settings import LONGEST_WAIT, Issuer, Settings

_WHY = {
    "patient": "age, sex; without it the age group is not known",
    "medications": "every order of sirolimus and of other drugs, running and over: the course is read from it",
    "administrations": "when doses were given (the age of a level), and infusions that raise the count",
    "statements": "what the patient takes without an order: herbs, grapefruit, drugs of others",
    "observations": "levels, counts, weight, height and the tests that are watched",
    "conditions": "the diagnosis, bleeding, pregnancy, infections, lung disease",
    "procedures": "transfusions, splenectomy and other operations, infusions that raise the count",
    "requests": "tests that are on order, operations that are planned",
    "allergies": "sirolimus and what its oral solution holds",
    "appointments": "operations that are booked",
}
_MANDATORY = ("medications",)
_UNNAMED = ("requests", "appointments")


def prefetch_page(knowledge: Knowledge) -> str:
    """The prefetch as a page for the person who types it into an EHR."""
    lines = [
        "# Prefetch",
        "",
        "Written by `sirolimus-cds prefetch`; a test keeps it current. Type the keys and queries into the EHR exactly as they",
        "stand. `medications` is mandatory: without it a call is answered with 412, unless the EHR's FHIR server may be",
        "called back. What is missing of the others is named on a card, but for the two that few systems can supply.",
        "All dates are filtered here, so that no query has a date; send the whole history where the EHR allows it.",
        "",
        "The results are asked for in several queries, for one with all codes is longer than many clients and proxies take (no query here",
        "is longer than 1,900 characters, encoded). The first holds levels, platelet counts, weight and height, the others the tests that are watched. Where only some of these keys are sent, a card says that results are incomplete. A client whose",
        "queries may be long can send all results under one key, `observations`, with the codes of all parts or with none. "
        "Results without a LOINC code, which are read by their local names, come only with a query without codes.",
        "",
        "| key | mandatory | what for |",
        "|---|---|---|",
    ]
    queries = prefetch(knowledge)
    for key in queries:
        word = "yes" if key in _MANDATORY else "no, and not named when missing" if key in _UNNAMED else "no"
        lines.append(f"| `{key}` | {word} | {_WHY[whole_of(key)]} |")
    for key, query in queries.items():
        lines += ["", f"## {key}", "", "```", query, "```"]
    return "\n".join(lines) + "\n"


_CAPABILITY = """# What the service can do

Written by `sirolimus-cds capability`; a test holds it against the running service. It serves CDS Hooks {version} over FHIR R4
(4.0.1), and advises on sirolimus (off label) in primary immune thrombocytopenia. Every rule is a draft that no clinician has signed
off; the service is no medical device, and no substitute for clinical judgement.

## Services

One for each hook, each with an id of its own. Discovery, calls and feedback: `GET /cds-services`, `POST /cds-services/{{id}}`,
`POST /cds-services/{{id}}/feedback`. The contract is at `/openapi.json`.

| hook | version | id | called |
|---|---|---|---|
{services}

Revised orders count as drafts too, whatever their status. `encounterId` and `userId` are not read, so no user has to be in the context.

## Data

Everything is judged from prefetch; what was not sent is fetched from `fhirServer` where the settings allow that server. The queries to type
in are in [prefetch.md](prefetch.md).

| key | resource | SMART 1 scope | SMART 2 scope | when it is missing |
|---|---|---|---|---|
{data}

Medications that orders only refer to are read one by one (`user/Medication.read`, `user/Medication.rs`), where calls back are allowed.

Resources of another patient are never used; a context and a Patient that differ are refused. R4 only: medication resources in the form of another version are refused.

## Cards

- At most {cards} cards, critical ones always; the rest are folded into one that names them. Nothing to say is an empty list.
- Summary under 140 characters, plain Markdown without tables or HTML, the source, a topic code that never changes, reasons to set it aside.
- Buttons of one action each, never recommended by themselves: change or hold the sirolimus order (`update`; an extension
  of the order keeps the day and the dose before: docs/fhir.md), order a level or a test (`create` of a ServiceRequest), leave a draft out (`delete`). Each card is complete without its button. No links, no system actions.
- What could not be judged is said on a card. A fault of the rule engine is a card that advises nothing, and not an error status.

## Limits

| | default | beyond it |
|---|---|---|
| body | {max_body} bytes, {body_seconds:g} s, not compressed; 100 levels of nesting are read, some more too | 413, 408, 400, 415 |
| calls at once, a worker | {max_in_flight}, and {wait:g} ms of calls ahead | 503 with `Retry-After` |
| calls back | {answer_seconds:g} s for the whole call | named as missing |
| tokens | {algorithms}; an hour; once | 401 |

Without the medications nothing can be judged: 412. Every error of a service is an OperationOutcome of our own words.

## Rules

| rule | topic code | title | hooks |
|---|---|---|---|
{rules}
"""


def capability_page(knowledge: Knowledge) -> str:
    """What the service can do, its limits and its rules, in Markdown."""
    limits = Settings()
    services = discovery(knowledge, SERVED)["services"]
    algorithms = ", ".join(Issuer.model_fields["algorithms"].default)
    missing = dict.fromkeys(PREFETCH_TYPES, "named on a card")
    missing |= dict.fromkeys(_MANDATORY, "412") | dict.fromkeys(_UNNAMED, "not named")
    return _CAPABILITY.format(
        version=services[0]["version"],
        services="\n".join(
            f"| {each['hook']} | {each['hookVersion']} | `{each['id']}` | {SERVED[each['hook']].when}{'' if each['hook'] in UNLESS_SET else '; where it is set'} |"
            for each in services
        ),
        data="\n".join(
            f"| `{key}` | {kind} | `user/{kind}.read` | `user/{kind}.rs` | {missing[whole_of(key)]} |"
            for key in prefetch(knowledge)
            for kind in [type_of(key)]
        ),
        cards=MAX_CARDS,
        algorithms=algorithms,
        rules="\n".join(
            f"| [{rule.id}](rules.md#{rule.id}) | `{rule.topic}` | {rule.title} | {', '.join(rule.hooks)} |"
            for rule in sorted(knowledge.rules, key=lambda rule: rule.id)
        ),
        wait=LONGEST_WAIT * 1000,
        **limits.model_dump(include={"max_body", "body_seconds", "max_in_flight", "answer_seconds"}),
    )
