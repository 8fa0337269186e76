//! What a [`Step`](crate::Step) does, as data: what [`Step::action`](crate::Step::action) shows to a test, or to a server made up by
//! one.

pub use crate::wire::{
    Action, CodeRequest, Extension, HttpRequest, ListRequest, PromptCall, RawRequest, ToolCall,
};
