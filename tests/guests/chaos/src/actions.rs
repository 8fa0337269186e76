//! Plans, steps and findings at random.

use pmcp_loadtest_guest::bindings::pmcp::loadtest::types as wire;

use crate::draws::Draws;

const METHODS: [&str; 6] =
    ["tools/call", "tools/list", "resources/read", "ping", "initialize", "nothing/such"];
const HEADERS: [&str; 7] =
    ["x-a", "accept", "host", "content-length", "mcp-session-id", "Cookie", "transfer-encoding"];

impl Draws {
    pub(crate) fn plan(&mut self) -> wire::Plan {
        let steps =
            if self.one_in(100) { self.several(2_000, Self::step) } else { self.several(6, Self::step) };
        let then = match self.below(40) {
            0 => wire::Flow::StopVu(self.text()),
            1..=8 => wire::Flow::More,
            _ => wire::Flow::Done,
        };
        let findings = self.perhaps(Self::findings);
        wire::Plan { steps, then, keep_going: self.one_in(2), findings }
    }

    fn step(&mut self) -> wire::Step {
        let action = self.action();
        wire::Step { action, options: self.perhaps(Self::options) }
    }

    fn action(&mut self) -> wire::Action {
        match self.below(13) {
            0..=2 => {
                let name = self.word(&["echo", "sum"]);
                wire::Action::CallTool(wire::ToolCall { name, arguments: self.json() })
            }
            3 => wire::Action::ReadResource(self.word(&["demo://one"])),
            4 => {
                let name = self.word(&["greet"]);
                let arguments = self.several(3, |draws| (draws.text(), draws.text()));
                wire::Action::GetPrompt(wire::PromptCall { name, arguments })
            }
            5 => {
                let kinds = [
                    wire::ListKind::Tools,
                    wire::ListKind::Resources,
                    wire::ListKind::ResourceTemplates,
                    wire::ListKind::Prompts,
                ];
                let kind = self.one_of(&kinds);
                wire::Action::List(wire::ListRequest { kind, cursor: self.perhaps(Self::text) })
            }
            6 => wire::Action::Ping,
            7 => wire::Action::Request(self.raw()),
            8 => wire::Action::Notify(self.raw()),
            9 => wire::Action::Http(self.http()),
            10 => wire::Action::CodeMode(wire::CodeRequest { code: self.text(), format: self.text() }),
            11 => match self.below(3) {
                0 => wire::Action::EndSession,
                _ => wire::Action::Think(self.one_of(&[0, 1, 10])),
            },
            _ => wire::Action::Custom(wire::Extension { kind: self.text(), payload: self.json() }),
        }
    }

    fn raw(&mut self) -> wire::RawRequest {
        let method = self.word(&METHODS);
        wire::RawRequest { method, params: self.perhaps(Self::json) }
    }

    fn http(&mut self) -> wire::HttpRequest {
        wire::HttpRequest {
            method: self.word(&["GET", "post", "DELETE", "CONNECT"]),
            path: self.word(&["/", "/health?a=b", "//evil.example/", "/\\evil", "http://evil.example/"]),
            headers: self.several(3, |draws| (draws.word(&HEADERS), draws.word(&["1", "a b", ""]))),
            body: self.perhaps(Self::text),
            expect_status: self.several(3, |draws| draws.one_of(&[0, 200, 404, 999, u16::MAX])),
        }
    }

    fn options(&mut self) -> wire::StepOptions {
        wire::StepOptions {
            label: self.perhaps(|draws| draws.word(&["first", "second"])),
            capture: self.several(4, |draws| draws.word(&["", "/content/0/text", "/a/b", "/~0~1~2", "/-1"])),
            want_body: self.one_in(2),
            timeout_ms: self.perhaps(|draws| draws.one_of(&[0, 1, 1_000, u32::MAX])),
            meta: self.perhaps(Self::json),
        }
    }

    pub(crate) fn findings(&mut self) -> wire::Findings {
        let check = |draws: &mut Self| wire::Check {
            name: draws.word(&["holds", "fails"]),
            ok: draws.one_in(2),
            message: draws.perhaps(Self::text),
        };
        let checks = self.several(4, check);
        let sample = |draws: &mut Self| {
            let metric = draws.word(&["counter", "gauge", "rate", "trend"]);
            wire::Sample { metric, value: f64::from_bits(draws.next_u64()) }
        };
        wire::Findings { checks, samples: self.several(4, sample) }
    }
}
