//! File locks between processes.
//!
//! `flock` belongs to the open file, so the kernel frees it when its process dies in any way, and
//! std opens files close-on-exec, so the server never inherits one.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::error::{At, Error};
use crate::files;

/// A lock that is held until it is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
}

impl Lock {
    /// Waits up to `limit` for the lock that only one can hold.
    pub(crate) fn exclusive(path: &Path, limit: Duration) -> Result<Lock, Error> {
        wait(path, FlockOperation::NonBlockingLockExclusive, limit)
    }

    /// Waits up to `limit` for the lock that many can hold.
    pub(crate) fn shared(path: &Path, limit: Duration) -> Result<Lock, Error> {
        wait(path, FlockOperation::NonBlockingLockShared, limit)
    }

    /// The lock that only one can hold, or `None` while it is held.
    pub(crate) fn try_exclusive(path: &Path) -> Result<Option<Lock>, Error> {
        let file = open(path)?;
        let held = try_flock(&file, FlockOperation::NonBlockingLockExclusive).at("lock", path)?;
        Ok(held.then_some(Lock { file }))
    }

    /// Turns a shared lock into the exclusive one: true if nobody else holds it. After `false`
    /// the shared lock may be gone (flock(2)), call [`Lock::share_again`] to keep it.
    pub(crate) fn try_upgrade(&self) -> io::Result<bool> {
        try_flock(&self.file, FlockOperation::NonBlockingLockExclusive)
    }

    /// The way back from [`Lock::try_upgrade`].
    pub(crate) fn share_again(&self) -> io::Result<bool> {
        try_flock(&self.file, FlockOperation::NonBlockingLockShared)
    }
}

impl Drop for Lock {
    /// Unlocks, because closing alone frees nothing while another thread's child, between its
    /// fork and its exec, still has a copy of the file.
    fn drop(&mut self) {
        if let Err(error) = flock(&self.file, FlockOperation::Unlock) {
            tracing::debug!(%error, "unlock");
        }
    }
}

fn wait(path: &Path, operation: FlockOperation, limit: Duration) -> Result<Lock, Error> {
    let file = open(path)?;
    let begun = Instant::now();
    while !try_flock(&file, operation).at("lock", path)? {
        if begun.elapsed() > limit {
            return Err(Error::Timeout {
                waiting_for: "another process that starts or stops the server",
                seconds: limit.as_secs(),
                tail: String::new(),
            });
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(Lock { file })
}

fn open(path: &Path) -> Result<File, Error> {
    files::open(path, OpenOptions::new().read(true).write(true).create(true).truncate(false))
}

fn try_flock(file: &File, operation: FlockOperation) -> io::Result<bool> {
    loop {
        match flock(file, operation) {
            Ok(()) => return Ok(true),
            Err(Errno::WOULDBLOCK) => return Ok(false),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
