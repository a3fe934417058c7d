//! The settings of the server, suitable for bulk loading on a small machine with full durability.
//!
//! The settings are written at each start to `private.conf`, which `postgresql.conf` includes.
//! New defaults thus apply to existing clusters, and `alter system` takes precedence. The log never
//! contains values of rows: statements, details and error messages (which quote values) are not
//! logged.

use std::fs;
use std::path::Path;

/// The file beside `postgresql.conf`.
pub(crate) const FILE: &str = "private.conf";
/// The line at the end of `postgresql.conf`.
pub(crate) const INCLUDE: &str = "include_if_exists = 'private.conf'";

/// Whether this crate created the cluster: its configuration includes the settings of this crate.
/// Other clusters must not be started, joined, stopped or changed.
pub(crate) fn is_included_in(cluster: &Path) -> bool {
    let settings = fs::read_to_string(cluster.join("postgresql.conf"));
    settings.is_ok_and(|text| text.lines().any(|line| line.trim() == INCLUDE))
}

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// The resources of the machine. `None` means that they are unknown.
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

/// Returns the content of `private.conf`. PostgreSQL uses the last value of a setting, so the
/// `custom` settings of the caller come last.
pub(crate) fn render(machine: Machine, durable: bool, custom: &[(String, String)]) -> String {
    let memory_share = |divisor: u64, min_mib: u64, max_mib: u64| {
        let memory = machine.memory.unwrap_or(2 * GIB);
        format!("{}MB", (memory / divisor).clamp(min_mib * MIB, max_mib * MIB) / MIB)
    };
    let wal = machine.free_disk.unwrap_or(32 * GIB) / 8;
    let mut settings = vec![
        ("shared_buffers", memory_share(8, 32, 256)),
        ("maintenance_work_mem", memory_share(16, 32, 256)),
        ("work_mem", memory_share(256, 4, 16)),
        ("effective_cache_size", memory_share(2, 128, 64 * 1024)),
        ("max_wal_size", format!("{}MB", wal.clamp(GIB, 4 * GIB) / MIB)),
        ("max_connections", "50".to_owned()),
        ("wal_compression", if machine.lz4 { "lz4" } else { "on" }.to_owned()),
    ];
    let fixed = [
        ("checkpoint_timeout", "15min"),
        // There are no replicas, and with this level an index build writes no WAL.
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
    let not_durable =
        [("fsync", "off"), ("full_page_writes", "off"), ("synchronous_commit", "off")];
    settings.extend(fixed.map(|(name, value)| (name, value.to_owned())));
    if !durable {
        settings.extend(not_durable.map(|(name, value)| (name, value.to_owned())));
    }
    let custom = custom.iter().map(|(name, value)| (name.as_str(), value.clone()));
    let mut text = "# Overwritten at each start. Use ALTER SYSTEM to change settings.\n".to_owned();
    for (name, value) in settings.into_iter().chain(custom) {
        let value = value.replace('\\', r"\\").replace('\'', "''");
        text.push_str(&format!("{name} = '{value}'\n"));
    }
    text
}

/// The memory of the machine or of the container, whichever is less. `None` on systems other than
/// Linux.
fn memory() -> Option<u64> {
    let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|text| parse_total(&text));
    let container = fs::read_to_string("/sys/fs/cgroup/memory.max")
        .ok()
        .and_then(|text| text.trim().parse::<u64>().ok());
    match (machine, container) {
        (Some(machine), Some(container)) => Some(machine.min(container)),
        (machine, container) => machine.or(container),
    }
}

/// Reads the total memory in bytes from the content of `/proc/meminfo`.
fn parse_total(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_are_sized_by_the_memory_of_the_machine() {
        let with_memory = |memory| {
            let machine = Machine { memory: Some(memory), free_disk: Some(100 * GIB), lz4: true };
            render(machine, true, &[])
        };
        assert!(with_memory(16 * GIB).contains("shared_buffers = '256MB'"));
        assert!(with_memory(GIB).contains("shared_buffers = '128MB'"));
        assert!(with_memory(128 * MIB).contains("shared_buffers = '32MB'"));
        assert!(with_memory(GIB).contains("max_wal_size = '4096MB'"));
    }

    #[test]
    fn the_wal_is_limited_by_the_free_disk_space() {
        let machine = Machine { memory: None, free_disk: Some(2 * GIB), lz4: false };
        let text = render(machine, true, &[]);
        assert!(text.contains("max_wal_size = '1024MB'"), "{text}");
        assert!(text.contains("wal_compression = 'on'"), "{text}");
    }

    #[test]
    fn only_a_temporary_server_is_not_durable() {
        let machine = Machine { memory: None, free_disk: None, lz4: true };
        assert!(!render(machine, true, &[]).contains("fsync"));
        assert!(render(machine, false, &[]).contains("fsync = 'off'"));
    }

    #[test]
    fn custom_settings_come_last_and_are_quoted() {
        let machine = Machine { memory: None, free_disk: None, lz4: true };
        let custom = [("application_name".to_owned(), r"it's a \ ".to_owned())];
        let text = render(machine, true, &custom);
        assert!(text.ends_with("application_name = 'it''s a \\\\ '\n"), "{text}");
    }

    #[test]
    fn the_total_memory_is_read_from_meminfo() {
        assert_eq!(parse_total("MemTotal:       2048 kB\nMemFree: 1 kB\n"), Some(2 * MIB));
        assert_eq!(parse_total("nonsense"), None);
    }
}
