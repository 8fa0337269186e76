//! The same program under a name of its own, for those who also keep the `cargo-pmcp` of the crate of that name.

fn main() -> std::process::ExitCode {
    pmcp_loadtest::cli::main(std::env::args_os())
}
