//! Arguments in, exit code out.

fn main() -> std::process::ExitCode {
    pmcp_loadtest::cli::main(std::env::args_os())
}
