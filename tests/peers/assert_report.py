#!/usr/bin/env python3
"""Asserts what a peer's report must show: the agreed revision, clean books, and calls that worked.

    assert_report.py REPORT --revision R --sessions some|none [--allow CLASS]... [--called TOOL]... [--at-least N]

Prints one line about the run, or every broken expectation, and then exits with 1.
"""

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Facts:
    """What we ask a report."""

    revision: str
    sessions_opened: int
    sessions_closed: int
    outcomes: dict[str, int]
    """Calls by outcome class; the classes are those of `judge::Outcome`."""
    calls_ok: dict[str, int]
    """Successful calls by tool."""

    @classmethod
    def of(cls, report):
        """The only place that knows the report's paths."""
        return cls(
            revision=report["server"]["protocol_revision"],
            sessions_opened=report["books"]["sessions_opened"],
            sessions_closed=report["books"]["sessions_closed"],
            outcomes={"ok": report["totals"]["ok"], "cancelled": report["totals"]["cancelled"], **report["totals"]["failed_by_class"]},
            calls_ok={tool: figures["success_count"] for tool, figures in report["per_tool"].items()},
        )


def faults(facts, expected):
    """Yields a sentence for each expectation that does not hold."""
    if facts.revision != expected.revision:
        yield f"revision is {facts.revision}, expected {expected.revision}"
    if facts.sessions_opened != facts.sessions_closed:
        yield f"{facts.sessions_opened} sessions opened, {facts.sessions_closed} closed"
    if (facts.sessions_opened > 0) != (expected.sessions == "some"):
        yield f"{facts.sessions_opened} sessions opened, expected {expected.sessions}"
    for name, count in sorted(facts.outcomes.items()):
        if count and name not in expected.allow:
            yield f"{count} calls ended as {name}"
    if facts.outcomes.get("ok", 0) < expected.at_least:
        yield f"{facts.outcomes.get('ok', 0)} calls were ok, expected at least {expected.at_least}"
    for tool in expected.called:
        if not facts.calls_ok.get(tool):
            yield f"tool {tool} was never called with success"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("report", type=Path)
    parser.add_argument("--revision", required=True)
    parser.add_argument("--sessions", required=True, choices=["some", "none"])
    # Calls in flight when the time is over are cancelled by the load tester itself.
    parser.add_argument("--allow", action="append", default=["ok", "cancelled"], metavar="CLASS")
    parser.add_argument("--called", action="append", default=[], metavar="TOOL")
    parser.add_argument("--at-least", type=int, default=100, metavar="N")
    expected = parser.parse_args()

    facts = Facts.of(json.loads(expected.report.read_text(encoding="utf-8")))
    found = list(faults(facts, expected))
    if found:
        sys.exit("\n".join(f"{expected.report}: {fault}" for fault in found))
    outcomes = ", ".join(f"{count} {name}" for name, count in facts.outcomes.items() if count)
    print(f"revision {facts.revision}, {facts.sessions_opened} sessions, {outcomes}")


if __name__ == "__main__":
    main()
