// A plugin in JavaScript: searches, checks what came back, and now and then reads on.
//
// Each iteration calls `search` with arguments made from the tool's own schema. Some users find the first hit worth a pause and an
// `echo`. The names are those of guest-sdk/wit/loadtest.wit in JavaScript's spelling.

import host from "pmcp:loadtest/host@0.1.0";
import target from "pmcp:loadtest/target@0.1.0";

const configSchema = {
  type: "object",
  properties: {
    curiosity: { type: "number", minimum: 0, maximum: 1, description: "Share of searches whose first hit is read" },
    pause_ms: { type: "integer", minimum: 0, maximum: 60_000, description: "How long a user looks at the hits before" },
  },
  additionalProperties: false,
};

const config = { curiosity: 0.3, pause_ms: 20 };

function describe() {
  return {
    name: "search-and-read",
    version: "0.1.0",
    description: "Searches with arguments from the schema, and reads some of what it finds",
    configSchema: JSON.stringify(configSchema),
    hooks: { outcomes: true, finish: false },
    plansAhead: 1,
    metrics: [{ name: "hits", kind: "trend", unit: "hits" }],
    requiresTools: ["search", "echo"],
  };
}

function setup(info) {
  Object.assign(config, JSON.parse(info.config));
}

function open(_vu) {
  return new Scenario();
}

// One virtual user. What it remembers belongs into `this`: others share the module.
class Scenario {
  // An `Error` thrown here is a failed iteration with that text.
  next(turn) {
    if (turn.round === 0) return [search(turn.iterations[0].seed)];
    return [readOn(turn.outcomes[0])];
  }

  finish(_outcomes) {
    return null; // `describe` does not ask for this call
  }
}

// Calls `search`, keeps the first hit, and asks to be called again with it; a search that failed is one of its outcomes.
function search(seed) {
  const options = {
    label: null,
    capture: ["/structuredContent/hits/0/id", "/structuredContent/total"],
    wantBody: false,
    timeoutMs: null,
    meta: null,
  };
  const steps = [{ ...call("search", target.generateArguments("search", seed)), options }];
  return { steps, then: { tag: "more" }, keepGoing: false, findings: null };
}

// Judges a search. Random choices come from the host: the same seed repeats them.
function readOn(outcome) {
  const [first, total] = outcome.data?.captured ?? [null, null];
  const ok = outcome.status.tag === "ok" && first !== null;
  const checks = [{ name: "a search finds something", ok, message: ok ? null : outcome.status.tag }];
  const samples = total === null ? [] : [{ metric: "hits", value: JSON.parse(total) }];
  const reads = ok && host.randomF64() < config.curiosity;
  const steps = reads ? [think(config.pause_ms), call("echo", JSON.stringify({ message: JSON.parse(first) }))] : [];
  return { steps, then: { tag: "done" }, keepGoing: false, findings: { checks, samples } };
}

function call(name, args) {
  return { action: { tag: "call-tool", val: { name, arguments: args } }, options: null };
}

function think(milliseconds) {
  return { action: { tag: "think", val: milliseconds }, options: null };
}

export const plugin = { describe, setup, open, Scenario };
