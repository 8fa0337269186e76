//! What the generator itself costs: CPU time of a thread and of the process, time without a CPU, memory. Zero where the platform does not tell.

use std::time::Duration;

/// User and system CPU time of the calling thread since it began.
pub(crate) fn thread_cpu() -> Duration {
    #[cfg(unix)]
    {
        use nix::time::{ClockId, clock_gettime};
        clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map(Duration::from).unwrap_or_default()
    }
    #[cfg(not(unix))]
    Duration::ZERO
}

/// How long the calling thread was ready to run while others had the CPU, since it began.
pub(crate) fn thread_waited() -> Duration {
    // The second of the three figures, in nanoseconds (Linux, Documentation/scheduler/sched-stats.rst).
    #[cfg(target_os = "linux")]
    {
        let figures = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
        let waited = figures.split_whitespace().nth(1).and_then(|waited| waited.parse().ok());
        Duration::from_nanos(waited.unwrap_or(0))
    }
    #[cfg(not(target_os = "linux"))]
    Duration::ZERO
}

/// User and system CPU time of the whole process since it began, and its peak resident set in bytes.
pub(crate) fn process() -> (Duration, u64) {
    #[cfg(unix)]
    {
        use nix::sys::resource::{UsageWho, getrusage};
        use nix::sys::time::TimeValLike as _;
        let Ok(usage) = getrusage(UsageWho::RUSAGE_SELF) else { return (Duration::ZERO, 0) };
        let microseconds = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
        // Linux counts in kibibytes, macOS in bytes.
        let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
        let peak = u64::try_from(usage.max_rss()).unwrap_or(0).saturating_mul(unit);
        (Duration::from_micros(u64::try_from(microseconds).unwrap_or(0)), peak)
    }
    #[cfg(not(unix))]
    (Duration::ZERO, 0)
}
