//! What the operating system lets us have: checked before the load begins, not found out in the middle of it.

use crate::error::Error;
#[cfg(unix)]
use crate::error::ExitCode;

/// Descriptors that a run needs beside one connection per virtual user: files, runtimes, the preparation, answers to the server.
#[cfg(unix)]
const SPARE: u64 = 64;

/// How many virtual users can each have a connection, `wanted` at most; raises the soft limit for it.
pub fn room_for(wanted: u32) -> u32 {
    if ensure_descriptors(wanted).is_ok() {
        return wanted;
    }
    #[cfg(unix)]
    {
        use nix::sys::resource::{Resource, getrlimit, setrlimit};
        let Ok((_, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return wanted };
        // Where even that is refused, what is missing is found by the gate on descriptors.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
        u32::try_from(hard.saturating_sub(SPARE)).unwrap_or(u32::MAX).min(wanted)
    }
    #[cfg(not(unix))]
    wanted
}

/// Makes sure that `vus` virtual users can each have a connection; raises the soft limit where the hard one allows it.
///
/// # Errors
/// [`ExitCode::Usage`] with the limit to raise, where it does not.
pub fn ensure_descriptors(vus: u32) -> Result<(), Error> {
    #[cfg(unix)]
    {
        use nix::sys::resource::{Resource, getrlimit, setrlimit};
        let needed = u64::from(vus) + SPARE;
        // A platform that does not tell its limits has told us nothing to act on.
        let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return Ok(()) };
        if soft >= needed || (hard >= needed && setrlimit(Resource::RLIMIT_NOFILE, hard, hard).is_ok()) {
            return Ok(());
        }
        Err(Error::new(
            ExitCode::Usage,
            format!("{vus} virtual users need {needed} open files, and this process may have {hard}"),
        )
        .advise(format!(
            "raise the limit (`ulimit -n {needed}`, or the service's LimitNOFILE), or take fewer --vus"
        )))
    }
    #[cfg(not(unix))]
    {
        let _ = vus;
        Ok(())
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_for_a_few_and_never_for_more_than_are_wanted() {
        assert_eq!(room_for(1), 1);
        let room = room_for(u32::MAX);
        assert!((1..u32::MAX).contains(&room), "{room}");
    }

    #[test]
    fn a_few_users_fit_and_four_billion_do_not() {
        assert!(ensure_descriptors(1).is_ok());
        let error = ensure_descriptors(u32::MAX).unwrap_err();
        assert_eq!(error.exit, ExitCode::Usage);
        assert!(error.to_string().contains("ulimit -n"), "{error}");
    }
}
