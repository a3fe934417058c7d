//! The name of a slice's owner. Another process on the same machine can tell from it that the owner
//! is dead, so that a run resumes immediately after `kill -9`.
//!
//! A wrong answer is harmless: each claim increases the slice's epoch, and the former owner's next
//! commit is rolled back.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

/// `host/boot.namespace/pid/started/instance` of this process.
pub(crate) fn this_process(instance: u64) -> String {
    let pid = std::process::id();
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.subsec_nanos());
    format!("{}/{pid}/{}/{instance}.{nanos}", machine(), started(pid).unwrap_or_default())
}

/// Whether the owner ran on this machine and no longer does. False if that is unknown.
pub(super) fn is_dead(owner: &str) -> bool {
    let Some((place, _)) = owner.rsplit_once('/') else { return false };
    let Some((place, start)) = place.rsplit_once('/') else { return false };
    let Some((place, pid)) = place.rsplit_once('/') else { return false };
    let machine = machine();
    let (host, boot) = machine.split_once('/').unwrap_or((&machine, ""));
    let Some((owner_host, owner_boot)) = place.split_once('/') else { return false };
    if owner_host != host || boot.is_empty() || owner_boot.is_empty() {
        return false;
    }
    let (boot, namespace) = split_namespace(boot);
    let (owner_boot, owner_namespace) = split_namespace(owner_boot);
    // The machine has been restarted since.
    if owner_boot != boot {
        return true;
    }
    // The processes of another container are not visible here.
    if owner_namespace != namespace {
        return false;
    }
    let Ok(pid) = pid.parse::<u32>() else { return false };
    // Process ids are reused; the start time tells the processes apart.
    !start.is_empty() && started(pid).as_deref() != Some(start)
}

/// The machine and the process id, for messages.
pub(super) fn host_and_pid(owner: &str) -> (String, String) {
    let mut parts = owner.split('/');
    let host = parts.next().unwrap_or_default().to_owned();
    (host, parts.nth(1).unwrap_or_default().to_owned())
}

/// `host/boot id.pid namespace`; the boot id is empty where the system has none. Containers can share
/// host name and boot id, but not the namespace of their process ids
/// (<https://man7.org/linux/man-pages/man7/pid_namespaces.7.html>).
fn machine() -> String {
    let read = |path| fs::read_to_string(path).unwrap_or_default().trim().replace('/', "_");
    let (host, boot) = (read("/proc/sys/kernel/hostname"), read("/proc/sys/kernel/random/boot_id"));
    let namespace = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    let number = namespace.to_string_lossy().replace(|c: char| !c.is_ascii_digit(), "");
    match boot.is_empty() {
        true => format!("{host}/"),
        false => format!("{host}/{boot}.{number}"),
    }
}

/// The boot id, and the namespace if it is known.
fn split_namespace(boot: &str) -> (&str, &str) {
    boot.split_once('.').unwrap_or((boot, ""))
}

/// When a process was started, in the kernel's ticks; `None` if there is no such process.
fn started(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the command in parentheses and may hold anything; field 3 is the state.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    let start = fields.nth(18)?;
    // A zombie no longer works.
    (state != "Z").then(|| start.to_owned())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_not_reported_dead() {
        assert!(!is_dead(&this_process(1)));
    }

    #[test]
    fn an_owner_is_split_into_host_and_pid() {
        let (_, pid) = host_and_pid(&this_process(1));
        assert_eq!(pid, std::process::id().to_string());
        assert_eq!(host_and_pid("db1/b-o-o-t/77/123/1.5"), ("db1".into(), "77".into()));
        assert_eq!(host_and_pid("nonsense"), ("nonsense".into(), String::new()));
    }

    #[test]
    fn an_owner_from_another_start_or_boot_is_dead() {
        let me = this_process(1);
        let parts: Vec<&str> = me.split('/').collect();
        let with = |i: usize, value: &str| {
            let mut parts = parts.clone();
            parts[i] = value;
            parts.join("/")
        };
        assert!(is_dead(&with(3, "1")), "the id was used again");
        assert!(is_dead(&with(1, "other-boot")));
        assert!(!is_dead(&with(0, "other-host")), "unknown on another host");
        let (boot, _) = split_namespace(parts[1]);
        let elsewhere = with(1, &format!("{boot}.1")).replace(&format!("/{}/", parts[3]), "/1/");
        assert!(!is_dead(&elsewhere), "unknown in another container");
        assert!(!is_dead(&with(1, boot)), "unknown without the namespace");
        assert!(!is_dead("nonsense"));
    }
}
