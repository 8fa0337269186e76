//! The host's side of the interface, made from the WIT that guests are built against.

wasmtime::component::bindgen!({
    path: "../guest-sdk/wit",
    world: "loadtest-plugin",
});

pub(crate) use exports::pmcp::loadtest::plugin::{
    Findings, Manifest, Outcome, Plan, SetupInfo, Turn, VuContext,
};
pub(crate) use pmcp::loadtest::types::{
    Action, Check, Flow, Hooks, Iteration, MetricKind, ResultData, RpcError, Sample, Status, Step,
    StepOptions,
};
pub(crate) use pmcp::loadtest::{host, target, types};
