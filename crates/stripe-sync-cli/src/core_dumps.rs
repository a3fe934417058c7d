//! A core file would hold the key and whatever rows were in memory, so none is written of this
//! process. On Linux its memory and its environment also close to other processes of the user.
//! The environment itself stays what the user gave; programs started from here get none of it
//! (`private-postgres` clears it).

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// From here on.
///
/// # Errors
/// The system does not allow it.
pub(crate) fn forbid() -> rustix::io::Result<()> {
    // The upper limit stays, so that a server that is started from here can be debugged.
    let maximum = getrlimit(Resource::Core).maximum;
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum })?;
    #[cfg(target_os = "linux")]
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?;
    Ok(())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_dumped_and_the_process_still_knows_itself() {
        forbid().expect("allowed");
        assert_eq!(getrlimit(Resource::Core).current, Some(0));
        let behavior = rustix::process::dumpable_behavior().expect("known");
        assert!(matches!(behavior, rustix::process::DumpableBehavior::NotDumpable));
        for file in ["/proc/self/stat", "/proc/self/maps", "/proc/self/exe"] {
            std::fs::File::open(file).unwrap_or_else(|error| panic!("{file}: {error}"));
        }
    }
}
