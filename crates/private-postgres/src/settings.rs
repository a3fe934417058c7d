//! The server's settings: a bulk-loading database on a small machine, as durable as PostgreSQL is.
//!
//! They are written at each start to `private.conf`, which `postgresql.conf` includes, so new
//! defaults reach old clusters and `alter system` still wins. The log never shows a row: no
//! statements, no details, and error texts (which quote values) not at all.

use std::fs;
use std::path::Path;

/// The file beside `postgresql.conf`.
pub(crate) const FILE: &str = "private.conf";
/// The line at the end of `postgresql.conf`.
pub(crate) const INCLUDE: &str = "include_if_exists = 'private.conf'";

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// What the machine has, as far as it tells.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Machine {
    pub(crate) memory: Option<u64>,
    pub(crate) free_disk: Option<u64>,
    pub(crate) lz4: bool,
}

impl Machine {
    pub(crate) fn of(cluster: &Path, lz4: bool) -> Machine {
        let disk = rustix::fs::statvfs(cluster).ok();
        let free_disk = disk.map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize));
        Machine { memory: memory(), free_disk, lz4 }
    }
}

/// The content of `private.conf`; of a repeated name PostgreSQL takes the last value.
pub(crate) fn render(machine: Machine, durable: bool, chosen: &[(String, String)]) -> String {
    let share = |part: u64, least: u64, most: u64| {
        let memory = machine.memory.unwrap_or(2 * GIB);
        format!("{}MB", (memory / part).clamp(least * MIB, most * MIB) / MIB)
    };
    let wal = machine.free_disk.unwrap_or(32 * GIB) / 8;
    let mut settings = vec![
        ("shared_buffers", share(8, 32, 256)),
        ("maintenance_work_mem", share(16, 32, 256)),
        ("work_mem", share(256, 4, 16)),
        ("effective_cache_size", share(2, 128, 64 * 1024)),
        ("max_wal_size", format!("{}MB", wal.clamp(GIB, 4 * GIB) / MIB)),
        ("max_connections", "50".to_owned()),
        ("wal_compression", if machine.lz4 { "lz4" } else { "on" }.to_owned()),
    ];
    let fixed = [
        ("checkpoint_timeout", "15min"),
        // Nothing replicates from here, and an index build then writes its file instead of log.
        ("wal_level", "minimal"),
        ("max_wal_senders", "0"),
        ("jit", "off"),
        ("timezone", "UTC"),
        ("cluster_name", "stripe-sync"),
        ("log_timezone", "UTC"),
        ("log_min_messages", "log"),
        ("log_min_error_statement", "panic"),
        ("log_error_verbosity", "terse"),
    ];
    let temporary = [("fsync", "off"), ("full_page_writes", "off"), ("synchronous_commit", "off")];
    settings.extend(fixed.map(|(name, value)| (name, value.to_owned())));
    if !durable {
        settings.extend(temporary.map(|(name, value)| (name, value.to_owned())));
    }
    let chosen = chosen.iter().map(|(name, value)| (name.as_str(), value.clone()));
    let mut text = "# Written at each start. Your own settings: alter system.\n".to_owned();
    for (name, value) in settings.into_iter().chain(chosen) {
        let value = value.replace('\\', r"\\").replace('\'', "''");
        text.push_str(&format!("{name} = '{value}'\n"));
    }
    text
}

/// The memory of the machine or of the container, whichever is less. Linux only.
fn memory() -> Option<u64> {
    let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|text| total(&text));
    let container = fs::read_to_string("/sys/fs/cgroup/memory.max")
        .ok()
        .and_then(|text| text.trim().parse::<u64>().ok());
    match (machine, container) {
        (Some(machine), Some(container)) => Some(machine.min(container)),
        (one, other) => one.or(other),
    }
}

fn total(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_bounds_the_buffers() {
        let on = |memory| {
            let machine = Machine { memory: Some(memory), free_disk: Some(100 * GIB), lz4: true };
            render(machine, true, &[])
        };
        assert!(on(16 * GIB).contains("shared_buffers = '256MB'"));
        assert!(on(GIB).contains("shared_buffers = '128MB'"));
        assert!(on(128 * MIB).contains("shared_buffers = '32MB'"));
        assert!(on(GIB).contains("max_wal_size = '4096MB'"));
    }

    #[test]
    fn a_full_disk_bounds_the_log() {
        let machine = Machine { memory: None, free_disk: Some(2 * GIB), lz4: false };
        let text = render(machine, true, &[]);
        assert!(text.contains("max_wal_size = '1024MB'"), "{text}");
        assert!(text.contains("wal_compression = 'on'"), "{text}");
    }

    #[test]
    fn only_a_temporary_server_forgoes_durability() {
        let machine = Machine { memory: None, free_disk: None, lz4: true };
        assert!(!render(machine, true, &[]).contains("fsync"));
        assert!(render(machine, false, &[]).contains("fsync = 'off'"));
    }

    #[test]
    fn chosen_settings_come_last_and_are_quoted() {
        let machine = Machine { memory: None, free_disk: None, lz4: true };
        let chosen = [("application_name".to_owned(), r"it's a \ ".to_owned())];
        let text = render(machine, true, &chosen);
        assert!(text.ends_with("application_name = 'it''s a \\\\ '\n"), "{text}");
    }

    #[test]
    fn meminfo_is_read() {
        assert_eq!(total("MemTotal:       2048 kB\nMemFree: 1 kB\n"), Some(2 * MIB));
        assert_eq!(total("nonsense"), None);
    }
}
