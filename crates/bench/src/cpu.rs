//! CPU time and memory of processes, from `/proc` on Linux.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};

/// The kernel's clock ticks per second on every Linux that Rust runs on.
const TICKS: u64 = 100;

/// CPU time of a process, of its running children, and of the children it has waited for.
pub(crate) fn tree(pid: i32) -> Result<Duration> {
    loop {
        let before = own(pid, true)?;
        let children = children(pid)?;
        // Otherwise a child that ended in between would be missing or counted twice.
        if own(pid, true)? == before {
            return Ok(Duration::from_millis((before + children) * 1000 / TICKS));
        }
    }
}

/// The ticks of the running children of a process.
fn children(pid: i32) -> Result<u64> {
    let mut ticks = 0;
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(child) = name.to_str().and_then(|n| n.parse::<i32>().ok()) else { continue };
        // A process can end between the two reads.
        if parent(child) == Some(pid) {
            ticks += own(child, false).unwrap_or(0);
        }
    }
    Ok(ticks)
}

/// Peak resident memory of a process, in MB.
pub(crate) fn peak_rss_mb(pid: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:")).context("no VmHWM")?;
    let kib: u64 = line.split_whitespace().nth(1).context("VmHWM")?.parse()?;
    Ok(kib / 1024)
}

/// CPU time of one process.
pub(crate) fn process(pid: u32) -> Result<Duration> {
    let pid = i32::try_from(pid)?;
    Ok(Duration::from_millis(own(pid, false)? * 1000 / TICKS))
}

fn own(pid: i32, with_waited: bool) -> Result<u64> {
    let fields = stat(pid)?;
    // Fields 14 to 17: utime, stime, cutime, cstime (proc_pid_stat(5)), counted after the name.
    let last = if with_waited { 15 } else { 13 };
    fields[11..last].iter().map(|f| f.parse::<u64>().context("ticks")).sum()
}

fn parent(pid: i32) -> Option<i32> {
    stat(pid).ok()?.get(1)?.parse().ok()
}

/// The fields after the name of the process.
fn stat(pid: i32) -> Result<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, fields) = text.rsplit_once(')').context("/proc/pid/stat")?;
    Ok(fields.split_whitespace().map(str::to_owned).collect())
}
