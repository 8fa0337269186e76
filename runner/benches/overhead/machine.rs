//! What the operating system is asked for: a core of one's own, descriptors, CPU time of children.

use std::time::Duration;

use nix::sys::resource::{Resource, UsageWho, getrlimit, getrusage, setrlimit};
use nix::sys::time::TimeValLike as _;

/// The core the target spins on.
pub(crate) const TARGET_CORE: usize = 0;
/// The core of whoever is measured.
pub(crate) const CLIENT_CORE: usize = 1;

/// Keeps this process and its children on one core; false where the system does not do that or has no such core.
pub(crate) fn pin(core: usize) -> bool {
    #[cfg(target_os = "linux")]
    {
        use nix::sched::{CpuSet, sched_setaffinity};
        use nix::unistd::Pid;
        let mut cores = CpuSet::new();
        cores.set(core).is_ok() && sched_setaffinity(Pid::from_raw(0), &cores).is_ok()
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = core;
        false
    }
}

/// Raises the number of descriptors this process may open as far as it goes; returns how many that is.
pub(crate) fn raise_descriptor_limit() -> u64 {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return 0 };
    if setrlimit(Resource::RLIMIT_NOFILE, hard, hard).is_ok() { hard } else { soft }
}

/// User and system time of all children that have ended.
pub(crate) fn cpu_of_ended_children() -> anyhow::Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let microseconds = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Ok(Duration::from_micros(microseconds.try_into()?))
}

/// Runnable tasks of the last minute, where the system tells: above one, ratios are disturbed by other work.
pub(crate) fn load_average() -> Option<f64> {
    std::fs::read_to_string("/proc/loadavg").ok()?.split(' ').next()?.parse().ok()
}
