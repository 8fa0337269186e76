//! Standard streams: nothing comes in, and what goes out becomes lines of the plugin's log.
//!
//! The three streams are told apart by their numbers, as file descriptors are; there are no others.

use wasmtime::Result;
use wasmtime::component::Resource;
use wasmtime_wasi::p2::bindings::cli::{stderr, stdin, stdout};
use wasmtime_wasi::p2::bindings::sync::io::streams;
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, DynPollable, StreamError, StreamResult};

use super::super::bindings::host::{Host as _, Level};
use super::super::host::HostState;
use super::clock::ready;

const STANDARD_INPUT: u32 = 0;
const STANDARD_OUTPUT: u32 = 1;
const STANDARD_ERROR: u32 = 2;
/// Bytes that a stream takes at once. A longer line is cut into several.
const ROOM: usize = 4096;

/// What was printed and is no line yet.
#[derive(Debug, Default)]
pub(super) struct Output {
    output: Vec<u8>,
    error: Vec<u8>,
}

impl HostState {
    fn print(&mut self, stream: u32, bytes: &[u8]) {
        let (level, begun) = match stream {
            STANDARD_ERROR => (Level::Warn, &mut self.system.output.error),
            _ => (Level::Info, &mut self.system.output.output),
        };
        let mut printed = std::mem::take(begun);
        printed.extend_from_slice(bytes);
        let mut lines = printed.split(|byte| *byte == b'\n').peekable();
        while let Some(line) = lines.next() {
            if lines.peek().is_some() || line.len() >= ROOM {
                self.log(level, String::from_utf8_lossy(line).into_owned());
            } else if stream == STANDARD_ERROR {
                self.system.output.error = line.to_vec();
            } else {
                self.system.output.output = line.to_vec();
            }
        }
    }
}

impl stdin::Host for HostState {
    fn get_stdin(&mut self) -> Result<Resource<DynInputStream>> {
        Ok(Resource::new_own(STANDARD_INPUT))
    }
}

impl stdout::Host for HostState {
    fn get_stdout(&mut self) -> Result<Resource<DynOutputStream>> {
        Ok(Resource::new_own(STANDARD_OUTPUT))
    }
}

impl stderr::Host for HostState {
    fn get_stderr(&mut self) -> Result<Resource<DynOutputStream>> {
        Ok(Resource::new_own(STANDARD_ERROR))
    }
}

impl streams::Host for HostState {
    fn convert_stream_error(&mut self, error: StreamError) -> Result<streams::StreamError> {
        match error {
            StreamError::Closed => Ok(streams::StreamError::Closed),
            StreamError::LastOperationFailed(error) | StreamError::Trap(error) => Err(error),
        }
    }
}

impl streams::HostInputStream for HostState {
    fn read(&mut self, _stream: Resource<DynInputStream>, _count: u64) -> StreamResult<Vec<u8>> {
        Err(StreamError::Closed)
    }

    fn blocking_read(&mut self, _stream: Resource<DynInputStream>, _count: u64) -> StreamResult<Vec<u8>> {
        Err(StreamError::Closed)
    }

    fn skip(&mut self, _stream: Resource<DynInputStream>, _count: u64) -> StreamResult<u64> {
        Err(StreamError::Closed)
    }

    fn blocking_skip(&mut self, _stream: Resource<DynInputStream>, _count: u64) -> StreamResult<u64> {
        Err(StreamError::Closed)
    }

    fn subscribe(&mut self, _stream: Resource<DynInputStream>) -> Result<Resource<DynPollable>> {
        Ok(ready())
    }

    fn drop(&mut self, _stream: Resource<DynInputStream>) -> Result<()> {
        Ok(())
    }
}

impl streams::HostOutputStream for HostState {
    fn check_write(&mut self, _stream: Resource<DynOutputStream>) -> StreamResult<u64> {
        Ok(ROOM as u64)
    }

    fn write(&mut self, stream: Resource<DynOutputStream>, bytes: Vec<u8>) -> StreamResult<()> {
        self.print(stream.rep(), &bytes);
        Ok(())
    }

    fn blocking_write_and_flush(
        &mut self,
        stream: Resource<DynOutputStream>,
        bytes: Vec<u8>,
    ) -> StreamResult<()> {
        self.write(stream, bytes)
    }

    fn flush(&mut self, _stream: Resource<DynOutputStream>) -> StreamResult<()> {
        Ok(())
    }

    fn blocking_flush(&mut self, _stream: Resource<DynOutputStream>) -> StreamResult<()> {
        Ok(())
    }

    fn write_zeroes(&mut self, _stream: Resource<DynOutputStream>, _count: u64) -> StreamResult<()> {
        Err(StreamError::trap("prints zeroes, which is no text"))
    }

    fn blocking_write_zeroes_and_flush(
        &mut self,
        stream: Resource<DynOutputStream>,
        count: u64,
    ) -> StreamResult<()> {
        self.write_zeroes(stream, count)
    }

    fn splice(
        &mut self,
        _stream: Resource<DynOutputStream>,
        _source: Resource<DynInputStream>,
        _count: u64,
    ) -> StreamResult<u64> {
        // The only source is the empty input.
        Err(StreamError::Closed)
    }

    fn blocking_splice(
        &mut self,
        stream: Resource<DynOutputStream>,
        source: Resource<DynInputStream>,
        count: u64,
    ) -> StreamResult<u64> {
        self.splice(stream, source, count)
    }

    fn subscribe(&mut self, _stream: Resource<DynOutputStream>) -> Result<Resource<DynPollable>> {
        Ok(ready())
    }

    fn drop(&mut self, _stream: Resource<DynOutputStream>) -> Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drive::plugin::host::TargetFacts;
    use crate::judge::LogLevel;

    #[test]
    fn what_is_printed_is_logged_line_by_line_and_stream_by_stream() {
        let mut state = HostState::new(TargetFacts::unknown(), 0);
        state.print(STANDARD_OUTPUT, b"one\ntw");
        state.print(STANDARD_ERROR, b"oh\n");
        state.print(STANDARD_OUTPUT, b"o\n");
        let expected = [(LogLevel::Info, "one"), (LogLevel::Warn, "oh"), (LogLevel::Info, "two")];
        assert_eq!(state.log, expected.map(|(level, line)| (level, line.to_owned())));
    }

    #[test]
    fn a_line_without_an_end_is_logged_and_not_kept_for_ever() {
        let mut state = HostState::new(TargetFacts::unknown(), 0);
        for _ in 0..3 {
            state.print(STANDARD_OUTPUT, &[b'x'; ROOM]);
        }
        assert_eq!(state.log.len(), 3);
    }
}
