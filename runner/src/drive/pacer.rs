//! Waits for an instant to the tens of microseconds, which tokio's timers, whose wheel turns in milliseconds, cannot
//! (`reference/performance.md`, section 6).
//!
//! On Linux a timer of the kernel that a runtime can wait for; elsewhere a thread that sleeps. Where the clock is tokio's paused one, its
//! timers are exact, and nothing else would move it on.

use std::time::Duration;

use super::clock::Clock;
use crate::judge::Moment;

/// Least time between two wakings: what is due in between goes out together. A waking costs some 20 us of a processor's time.
const QUANTUM: Duration = Duration::from_micros(100);

/// Whether time is that of the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Time {
    /// It is: instants are met to the tens of microseconds.
    Real,
    /// It is tokio's, which a test can hold and turn.
    Tokio,
}

/// What wakes whoever starts iterations.
#[derive(Debug)]
pub(crate) struct Pacer {
    clock: Clock,
    /// What the last waking was set to, or a quantum before it came, where it came later than that.
    last: Moment,
    alarm: Alarm,
}

#[derive(Debug)]
enum Alarm {
    #[cfg(target_os = "linux")]
    Kernel(kernel::Timer),
    #[cfg(any(test, not(target_os = "linux")))]
    Thread(thread::Sleeper),
    Tokio,
}

impl Pacer {
    /// A pacer for a worker's runtime, inside which it must be made. Where the system gives no timer or no thread, tokio's must do; what
    /// that costs stands in the lateness of every call.
    pub(crate) fn new(clock: Clock, time: Time) -> Self {
        let alarm = match time {
            Time::Tokio => Alarm::Tokio,
            #[cfg(target_os = "linux")]
            Time::Real => kernel::Timer::new().map_or(Alarm::Tokio, Alarm::Kernel),
            #[cfg(not(target_os = "linux"))]
            Time::Real => thread::Sleeper::start().map_or(Alarm::Tokio, Alarm::Thread),
        };
        Self { clock, last: Moment::ORIGIN, alarm }
    }

    /// Waits until `moment`, but at least a quantum longer than the last time. Quanta are counted between the instants asked for, not
    /// between the wakings, whose own delay would add up: what is due every 100 us would be met later and later.
    pub(crate) async fn sleep_until(&mut self, moment: Moment) {
        let apart = if matches!(self.alarm, Alarm::Tokio) { Duration::ZERO } else { QUANTUM };
        let moment = moment.max(self.last.after(apart));
        let rest = moment.since(self.clock.now());
        if !rest.is_zero() {
            match &mut self.alarm {
                #[cfg(target_os = "linux")]
                Alarm::Kernel(timer) => timer.sleep(rest).await,
                #[cfg(any(test, not(target_os = "linux")))]
                Alarm::Thread(sleeper) => sleeper.sleep(rest).await,
                Alarm::Tokio => self.clock.sleep_until(moment).await,
            }
        }
        let quantum_ago = self.clock.now().since(Moment::ORIGIN.after(QUANTUM));
        self.last = moment.max(Moment::ORIGIN.after(quantum_ago));
    }
}

#[cfg(target_os = "linux")]
mod kernel {
    //! `timerfd_create(2)`, through the runtime's poll.

    use std::io;
    use std::os::fd::{AsFd, AsRawFd, RawFd};
    use std::time::Duration;

    use nix::sys::time::TimeSpec;
    use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;

    #[derive(Debug)]
    pub(super) struct Timer {
        descriptor: AsyncFd<Descriptor>,
    }

    #[derive(Debug)]
    struct Descriptor(TimerFd);

    impl AsRawFd for Descriptor {
        fn as_raw_fd(&self) -> RawFd {
            self.0.as_fd().as_raw_fd()
        }
    }

    impl Timer {
        pub(super) fn new() -> io::Result<Self> {
            let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
            let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, flags)?;
            #[expect(
                deprecated,
                reason = "its successor is unsafe, for types that change their descriptor while they are polled; this one owns its own"
            )]
            let descriptor = AsyncFd::with_interest(Descriptor(timer), Interest::READABLE)?;
            Ok(Self { descriptor })
        }

        /// Setting the timer again forgets an expiry that nobody has waited for.
        pub(super) async fn sleep(&mut self, time: Duration) {
            let once = Expiration::OneShot(TimeSpec::from_duration(time));
            let set = self.descriptor.get_ref().0.set(once, TimerSetTimeFlags::empty());
            if set.is_err() {
                return tokio::time::sleep(time).await;
            }
            loop {
                let Ok(mut ready) = self.descriptor.readable().await else { return };
                let read = ready.try_io(|timer| Ok(timer.get_ref().0.wait()?));
                if read.is_ok() {
                    // It expires once: without this, the next sleep would begin with a read in vain.
                    ready.clear_ready();
                    return;
                }
            }
        }
    }
}

#[cfg(any(test, not(target_os = "linux")))]
mod thread {
    //! A thread that does nothing but sleep, for systems whose runtimes have no better timer.

    use std::io;
    use std::sync::{Arc, mpsc};
    use std::time::Duration;

    use tokio::sync::Notify;

    #[derive(Debug)]
    pub(super) struct Sleeper {
        orders: mpsc::Sender<Duration>,
        over: Arc<Notify>,
    }

    impl Sleeper {
        /// The thread ends when the sleeper is dropped.
        pub(super) fn start() -> io::Result<Self> {
            let (orders, ordered) = mpsc::channel::<Duration>();
            let over = Arc::new(Notify::new());
            let told = Arc::clone(&over);
            std::thread::Builder::new().name("pacer".to_owned()).spawn(move || {
                for time in ordered {
                    #[expect(
                        clippy::disallowed_methods,
                        reason = "this thread is no worker: it has nothing else to do"
                    )]
                    std::thread::sleep(time);
                    told.notify_one();
                }
            })?;
            Ok(Self { orders, over })
        }

        /// One that was not waited for to its end wakes the next too early, which then looks at the clock and comes again.
        pub(super) async fn sleep(&mut self, time: Duration) {
            if self.orders.send(time).is_ok() {
                self.over.notified().await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn slept(pacer: &mut Pacer, time: Duration) -> Duration {
        let from = pacer.clock.now();
        pacer.sleep_until(from.after(time)).await;
        pacer.clock.now().since(from)
    }

    #[tokio::test]
    async fn no_alarm_rings_early_and_every_one_rings() {
        let clock = Clock::start();
        let mut pacers = vec![Pacer::new(clock, Time::Real), Pacer::new(clock, Time::Tokio)];
        let sleeper = thread::Sleeper::start().unwrap();
        pacers.push(Pacer { clock, last: Moment::ORIGIN, alarm: Alarm::Thread(sleeper) });
        for pacer in &mut pacers {
            for micros in [0, 150, 2_500] {
                let time = Duration::from_micros(micros);
                assert!(slept(pacer, time).await >= time, "{pacer:?}");
            }
        }
    }

    #[tokio::test]
    async fn two_wakings_are_a_quantum_apart() {
        let mut pacer = Pacer::new(Clock::start(), Time::Real);
        slept(&mut pacer, Duration::from_millis(1)).await;
        let first = pacer.last;
        pacer.sleep_until(first).await;
        assert!(pacer.last.since(first) >= QUANTUM);
    }

    #[tokio::test]
    async fn how_late_a_waking_was_does_not_put_off_the_next() {
        let mut pacer = Pacer::new(Clock::start(), Time::Real);
        let first = pacer.clock.now().after(Duration::from_millis(1));
        for number in 0..20 {
            let due = first.after(QUANTUM * number);
            let before = pacer.clock.now();
            pacer.sleep_until(due).await;
            let quantum_ago = pacer.clock.now().since(Moment::ORIGIN.after(QUANTUM));
            // It was set to what was asked for, unless it was too late for that already.
            let latest = due.max(before).max(Moment::ORIGIN.after(quantum_ago));
            assert!(pacer.last <= latest, "{number}: {:?} after {due:?}", pacer.last);
        }
    }
}
