"""A plugin in Python: searches, checks what came back, and now and then reads on.

Each iteration calls `search` with arguments made from the tool's own schema. Some users find the first hit worth a pause and an `echo`.
The names are those of guest-sdk/wit/loadtest.wit in Python's spelling. componentize-py looks for the exported interface, the class
`Plugin`, in the module that it is given, and for that interface's resources, `Scenario`, in a module named like it: here both are this one.
"""

# Everything is imported here: the component is a snapshot of the interpreter after these lines, and has no files to import from later.
import json
from functools import wraps

from componentize_py_types import Err
from wit_world import exports
from wit_world.imports import host, target
from wit_world.imports.types import (
    Action_CallTool,
    Action_Think,
    Check,
    Findings,
    Flow_Done,
    Flow_More,
    Hooks,
    Manifest,
    MetricDef,
    MetricKind,
    Outcome,
    Plan,
    Sample,
    SetupInfo,
    Status_Ok,
    Step,
    StepOptions,
    ToolCall,
    Turn,
    VuContext,
)

CONFIG_SCHEMA = {
    "type": "object",
    "properties": {
        "curiosity": {"type": "number", "minimum": 0, "maximum": 1, "description": "Share of searches whose first hit is read"},
        "pause_ms": {"type": "integer", "minimum": 0, "maximum": 60_000, "description": "How long a user looks at the hits before"},
    },
    "additionalProperties": False,
}
DEFAULTS = {"curiosity": 0.3, "pause_ms": 20}

config = dict(DEFAULTS)


def explained(call):
    """Makes every exception an `Err` with its text: any other that leaves Python is a trap, which ends the instance and says nothing."""

    @wraps(call)
    def explaining(*arguments):
        try:
            return call(*arguments)
        except Err:
            raise
        except Exception as error:
            frame = error.__traceback__
            while frame.tb_next:
                frame = frame.tb_next
            raise Err(f"{type(error).__name__}: {error} (line {frame.tb_lineno})") from error

    return explaining


class Plugin(exports.Plugin):
    """The plugin as the host knows it."""

    def describe(self) -> Manifest:
        return Manifest(
            name="search-and-read",
            version="0.1.0",
            description="Searches with arguments from the schema, and reads some of what it finds",
            config_schema=json.dumps(CONFIG_SCHEMA),
            hooks=Hooks.OUTCOMES,
            plans_ahead=1,
            metrics=[MetricDef("hits", MetricKind.TREND, "hits")],
            requires_tools=["search", "echo"],
        )

    @explained
    def setup(self, info: SetupInfo) -> None:
        config.update(json.loads(info.config))

    @explained
    def open(self, vu: VuContext) -> "Scenario":
        return Scenario()


class Scenario(exports.plugin.Scenario):
    """One virtual user. What it remembers belongs into `self`: others share the module."""

    @explained
    def next(self, turn: Turn) -> list[Plan]:
        iteration = turn.iterations[0]
        if turn.round == 0:
            return [search(iteration.seed)]
        return [read_on(turn.outcomes[0])]

    def finish(self, outcomes: list[Outcome]) -> Findings | None:
        return None  # `describe` does not ask for this call


def search(seed: int) -> Plan:
    """Calls `search`, keeps the first hit, and asks to be called again with it; a search that failed is one of its outcomes."""
    arguments = target.generate_arguments("search", seed)
    wanted = StepOptions(None, ["/structuredContent/hits/0/id", "/structuredContent/total"], False, None, None)
    return Plan([Step(Action_CallTool(ToolCall("search", arguments)), wanted)], Flow_More(), False, None)


def read_on(outcome: Outcome) -> Plan:
    """Judges a search. Random choices come from the host: the same seed repeats them."""
    first, total = outcome.data.captured if outcome.data else (None, None)
    found = isinstance(outcome.status, Status_Ok) and first is not None
    check = Check("a search finds something", found, None if found else str(outcome.status))
    samples = [Sample("hits", float(json.loads(total)))] if total is not None else []
    steps = []
    if found and host.random_f64() < config["curiosity"]:
        echo = json.dumps({"message": json.loads(first)})
        steps = [Step(Action_Think(config["pause_ms"]), None), Step(Action_CallTool(ToolCall("echo", echo)), None)]
    return Plan(steps, Flow_Done(), False, Findings([check], samples))
