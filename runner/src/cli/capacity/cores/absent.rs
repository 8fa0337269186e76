//! Where processes cannot be confined to cores, `--cores` is refused.

use tokio::sync::watch;

use super::Task;
use super::flags::ScalingFlags;
use crate::drive::StopRequest;
use crate::error::{Error, ExitCode};
use crate::report::ScalabilityReport;

/// There is none.
#[derive(Debug)]
pub(super) enum Site {}

impl Site {
    pub(super) fn check(flags: &ScalingFlags) -> Result<Option<Self>, Error> {
        if flags.cores.is_empty() {
            return Ok(None);
        }
        Err(Error::new(ExitCode::Usage, "--cores: only Linux confines a server to so many cores")
            .advise("search once per number of cores and put the reports together with --fit"))
    }
}

pub(super) async fn measure(
    _: &Task<'_>,
    site: &Site,
    _: &watch::Receiver<StopRequest>,
) -> Result<ScalabilityReport, Error> {
    match *site {}
}
