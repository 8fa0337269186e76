//! scenario -> iterations -> samples -> verdict
//!
//! The library under `cargo pmcp loadtest`: it drives Model Context Protocol servers with virtual users and judges what it saw.
//! [`plan`] holds what was asked, [`drive`] does it, [`judge`] says what it means, [`report`] renders it; [`live`] shows it
//! while it lasts, and [`cli`] is the program itself. `docs/architecture.md` in the repository is the map.
//!
//! ```
//! use std::sync::Arc;
//! use pmcp_loadtest::drive::{Controls, Survey, prepare};
//! use pmcp_loadtest::judge::{Verdict, judge_validity};
//! use pmcp_loadtest::plan::config::{Overrides, resolve};
//! use pmcp_loadtest::plan::library;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = pmcp_loadtest_demo_server::DemoServer::start(Default::default())?;
//! let scenario = library::find("quickstart").ok_or("not in the library")?;
//! let asked = Overrides { url: Some(server.url().parse()?), iterations: Some(50), ..Overrides::default() };
//! let plan = Arc::new(resolve(Some((scenario.name, scenario.text)), &asked, &|_| None)?.plan);
//!
//! let observation = prepare(Arc::clone(&plan), Survey::Tools).await?.run(Controls::unattended()).await?;
//!
//! let verdict = Verdict::new(&observation, &judge_validity(&plan, &observation), &[]);
//! println!("{:?}: {}", verdict.outcome, verdict.reason);
//! assert_eq!(observation.books.iterations_completed, 50);
//! assert_eq!(observation.metrics.total().outcomes.errors(), 0);
//! # Ok(())
//! # }
//! ```

pub mod cli;
pub mod drive;
pub mod error;
pub mod judge;
pub mod live;
pub mod plan;
pub mod report;

pub use error::{Error, ExitCode};
