#!/usr/bin/env python3
"""Removes the scenarios that call certain tools from a load test file, as a user does after `init`.

    drop_tools.py FILE TOOL...

A tool that the file does not call is no error: `init` may have left it out on its own.
Fails when the rest is not TOML or has no scenario left.
"""

import re
import sys
import tomllib
from pathlib import Path

HEADER = re.compile(r"^\[\[?\s*([^\]]+?)\s*\]\]?")
TOOL = re.compile(r"""^tool\s*=\s*["'](.+?)["']""")


def tables(text):
    """Yields (path, lines) for each table; the part before the first header has the path ""."""
    path, lines = "", []
    for line in text.splitlines(keepends=True):
        header = HEADER.match(line)
        if header:
            yield path, lines
            path, lines = header.group(1), []
        lines.append(line)
    yield path, lines


def scenarios(text):
    """Yields the text in parts: what stands before the first scenario, then each scenario with the tables below it."""
    part = []
    for path, lines in tables(text):
        if path == "scenario":
            yield part
            part = []
        part = part + lines
    yield part


def without_tools(text, names):
    """The text without the scenarios that call one of the tools."""
    kept = []
    for lines in scenarios(text):
        calls = {match.group(1) for match in map(TOOL.match, lines) if match}
        if not calls & names:
            kept.extend(lines)
    return "".join(kept)


def main():
    file, names = Path(sys.argv[1]), set(sys.argv[2:])
    text = without_tools(file.read_text(encoding="utf-8"), names)
    if not tomllib.loads(text).get("scenario"):
        sys.exit(f"{file}: no scenario left")
    file.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
