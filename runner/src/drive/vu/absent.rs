//! Virtual users of a build without plugins: no iteration is planned by one.

use pmcp_loadtest_arguments::Draws;

use super::{Ended, Vu};
use crate::drive::load::Claim;

impl Vu {
    #[expect(clippy::unused_async, reason = "the signature of the build with plugins")]
    pub(super) async fn run_plugin(
        &mut self,
        plugin: usize,
        _scenario: usize,
        _claim: Claim,
        _draws: &mut Draws,
    ) -> Option<Ended> {
        unreachable!("there is no plugin {plugin} in a build without plugins")
    }

    #[expect(clippy::unused_self, reason = "the signature of the build with plugins")]
    pub(super) fn end_guests(&mut self) {}
}
