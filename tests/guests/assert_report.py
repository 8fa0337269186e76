#!/usr/bin/env python3
"""Asserts what the report of a run with one plugin must show.

    assert_report.py REPORT [--iterations N] [--check NAME]... [--metric NAME]... [--tool NAME]... [--log TEXT]... [--repeated-by REPORT]

Every iteration was done, nothing failed, and each check that is named passed every time. Prints one line about the run, or every broken
expectation, and then exits with 1.
"""

import argparse
import json
import sys
from pathlib import Path


def read(path):
    """A report and its only plugin."""
    report = json.loads(path.read_text(encoding="utf-8"))
    (plugin,) = report["plugins"].values()
    return report, plugin


def faults(report, plugin, expected):
    """Yields a sentence for each expectation that does not hold."""
    if expected.iterations is not None and plugin["iterations"] != expected.iterations:
        yield f"{plugin['iterations']} iterations were done, expected {expected.iterations}"
    if plugin["failed_iterations"]:
        yield f"{plugin['failed_iterations']} iterations failed"
    for failure in plugin["failures"]:
        yield f"the plugin failed: {failure}"
    if report["totals"]["failed"]:
        yield f"calls failed: {report['totals']['failed_by_class']}"
    for name in expected.check:
        check = plugin["checks"].get(name)
        if not check or not check["passed"] or check["failed"]:
            yield f"check {name!r}: {check}"
    for name in expected.metric:
        if not plugin["metrics"].get(name, {}).get("count"):
            yield f"metric {name!r} has no values"
    for name in expected.tool:
        if not report["per_tool"].get(name, {}).get("success_count"):
            yield f"tool {name!r} was never called with success"
    for text in expected.log:
        if not any(text in json.dumps(line) for line in plugin["log"]):
            yield f"no line of the log has {text!r}"


def differences(plugin, again):
    """Yields what the plugin itself did otherwise in two runs with the same seed."""
    for part in ("iterations", "checks", "metrics", "log", "further_log_lines"):
        if plugin[part] != again[part]:
            yield f"{part} differ: {plugin[part]} and {again[part]}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("report", type=Path)
    parser.add_argument("--iterations", type=int, metavar="N")
    for name in ("check", "metric", "tool", "log"):
        parser.add_argument(f"--{name}", action="append", default=[], metavar="TEXT")
    parser.add_argument("--repeated-by", type=Path, metavar="REPORT")
    expected = parser.parse_args()

    report, plugin = read(expected.report)
    found = list(faults(report, plugin, expected))
    if expected.repeated_by:
        found += differences(plugin, read(expected.repeated_by)[1])
    if found:
        sys.exit("\n".join(f"{expected.report}: {fault}" for fault in found))
    calls = plugin["calls"]
    print(f"{plugin['iterations']} iterations, {calls['count']} plugin calls, p50 {calls['p50_us']:.0f} us, p99 {calls['p99_us']:.0f} us")


if __name__ == "__main__":
    main()
