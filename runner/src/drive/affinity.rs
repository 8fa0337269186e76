//! Which cores a thread may use (Linux). A thread hands its cores on to the threads and processes that it starts.

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

use crate::error::{Error, ExitCode};

/// The calling thread.
const THIS: Pid = Pid::from_raw(0);

/// The cores that the calling thread may use, by their numbers.
///
/// # Errors
/// [`ExitCode::Internal`] where the kernel does not tell.
pub fn allowed_cores() -> Result<Vec<usize>, Error> {
    let set = sched_getaffinity(THIS).map_err(|error| {
        Error::new(ExitCode::Internal, "cannot find out which cores there are").because(error)
    })?;
    Ok((0..CpuSet::count()).filter(|core| set.is_set(*core).unwrap_or(false)).collect())
}

/// Confines the calling thread, and all that it starts from now on, to these cores.
///
/// # Errors
/// [`ExitCode::Internal`] where the kernel refuses: there are no such cores.
pub fn confine_to(cores: &[usize]) -> Result<(), Error> {
    let mut set = CpuSet::new();
    let confined =
        cores.iter().try_for_each(|core| set.set(*core)).and_then(|()| sched_setaffinity(THIS, &set));
    confined.map_err(|error| {
        Error::new(ExitCode::Internal, format!("cannot confine a thread to the cores {cores:?}"))
            .because(error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_is_confined_hands_its_core_on() {
        let confined = std::thread::spawn(|| {
            let first = allowed_cores().unwrap()[..1].to_vec();
            confine_to(&first).unwrap();
            let inherited = std::thread::spawn(|| allowed_cores().unwrap()).join().unwrap();
            (first, inherited)
        });
        let (first, inherited) = confined.join().unwrap();
        assert_eq!(first, inherited);
    }
}
