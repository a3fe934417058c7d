//! File locks between processes.
//!
//! A `flock` lock belongs to the open file, so the kernel releases it whenever the process ends.
//! The standard library opens files with close-on-exec, so the server never inherits a lock.

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
    /// Waits up to `limit` for the exclusive lock.
    pub(crate) fn exclusive(path: &Path, limit: Duration) -> Result<Lock, Error> {
        wait(path, FlockOperation::NonBlockingLockExclusive, limit)
    }

    /// Waits up to `limit` for a shared lock.
    pub(crate) fn shared(path: &Path, limit: Duration) -> Result<Lock, Error> {
        wait(path, FlockOperation::NonBlockingLockShared, limit)
    }

    /// Returns the exclusive lock, or `None` if another process holds a lock.
    pub(crate) fn try_exclusive(path: &Path) -> Result<Option<Lock>, Error> {
        let file = open(path)?;
        let held = try_flock(&file, FlockOperation::NonBlockingLockExclusive).at("lock", path)?;
        Ok(held.then_some(Lock { file }))
    }

    /// Converts a shared lock into the exclusive one, unless another process holds the lock. If it
    /// returns `false`, the shared lock may be lost as well (flock(2)); [`Lock::downgrade`]
    /// acquires it again.
    pub(crate) fn try_upgrade(&self) -> io::Result<bool> {
        try_flock(&self.file, FlockOperation::NonBlockingLockExclusive)
    }

    /// Acquires the shared lock again after [`Lock::try_upgrade`].
    pub(crate) fn downgrade(&self) -> io::Result<bool> {
        try_flock(&self.file, FlockOperation::NonBlockingLockShared)
    }
}

impl Drop for Lock {
    /// Unlocks explicitly. Closing the file would not release the lock while a child process of
    /// another thread, between its fork and its exec, still has a copy of the file.
    fn drop(&mut self) {
        if let Err(error) = flock(&self.file, FlockOperation::Unlock) {
            tracing::debug!(%error, "cannot release a file lock");
        }
    }
}

fn wait(path: &Path, operation: FlockOperation, limit: Duration) -> Result<Lock, Error> {
    let file = open(path)?;
    let begin = Instant::now();
    while !try_flock(&file, operation).at("lock", path)? {
        if begin.elapsed() > limit {
            return Err(Error::Timeout {
                step: "waiting for another process that starts or stops the server",
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
