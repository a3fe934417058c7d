//! Disables core dumps of this process: a core file would contain the key and the rows in memory.
//! On Linux this also prevents other processes of the same user from reading its memory and
//! environment. Child processes do not inherit the environment (`private-postgres` clears it).

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Disables core dumps from now on.
///
/// # Errors
/// The system does not allow it.
pub(crate) fn disable() -> rustix::io::Result<()> {
    // The hard limit is unchanged, so that a server started by this process can be debugged.
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
    fn core_dumps_are_disabled_and_the_process_can_still_read_its_own_proc_files() {
        disable().expect("permitted");
        assert_eq!(getrlimit(Resource::Core).current, Some(0));
        let behavior = rustix::process::dumpable_behavior().expect("a known behavior");
        assert!(matches!(behavior, rustix::process::DumpableBehavior::NotDumpable));
        for file in ["/proc/self/stat", "/proc/self/maps", "/proc/self/exe"] {
            std::fs::File::open(file).unwrap_or_else(|error| panic!("{file}: {error}"));
        }
    }
}
