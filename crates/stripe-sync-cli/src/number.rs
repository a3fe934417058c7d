//! Numbers, durations and times, formatted for people.

use std::fmt::Display;
use std::time::{Duration, SystemTime};

/// `1234567` as `1,234,567`.
pub(crate) fn count(number: impl Display) -> String {
    let digits = number.to_string();
    let (sign, digits) = match digits.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", digits.as_str()),
    };
    let mut text = String::from(sign);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 row`, `2,000 rows`.
pub(crate) fn quantity(number: impl Display, noun: &str) -> String {
    let number = count(number);
    let plural = if number == "1" { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// `640 kB`, `34 MB`, `1.2 GB`, in powers of 1024 as PostgreSQL counts.
pub(crate) fn bytes(bytes: u64) -> String {
    match bytes {
        0..1_048_576 => format!("{} kB", bytes.div_ceil(1 << 10)),
        1_048_576..1_073_741_824 => format!("{} MB", bytes.div_ceil(1 << 20)),
        _ => format!("{}.{} GB", bytes >> 30, ((bytes % (1 << 30)) * 10) >> 30),
    }
}

/// `8.2 s`, `3 min 05 s`, `2 h 10 min`.
pub(crate) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..100 => format!("{:.1} s", duration.as_secs_f64()),
        100..3_600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3_600, seconds / 60 % 60),
    }
}

/// `number` in `duration`, as a rate per second.
pub(crate) fn rate(number: i64, duration: Duration) -> String {
    let seconds = duration.as_secs_f64().max(0.001);
    per_second(number as f64 / seconds)
}

/// `2,450/s`, `3.1/s`.
pub(crate) fn per_second(rate: f64) -> String {
    match rate < 9.95 {
        true => format!("{rate:.1}/s"),
        false => format!("{}/s", count(rate.round() as i64)),
    }
}

/// `2026-01-31 12:00:00 UTC`.
pub(crate) fn time(unix_seconds: i64) -> String {
    match jiff::Timestamp::from_second(unix_seconds) {
        Ok(time) => time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
        Err(_) => format!("second {unix_seconds}"),
    }
}

/// `2026-01-31T12:00:00Z`.
pub(crate) fn iso_time(time: SystemTime) -> String {
    time_of(time).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A system time as Unix seconds.
pub(crate) fn unix_seconds(time: SystemTime) -> i64 {
    time_of(time).as_second()
}

fn time_of(time: SystemTime) -> jiff::Timestamp {
    jiff::Timestamp::try_from(time).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (-1_234_567, "-1,234,567")]
        {
            assert_eq!(count(number), text);
        }
        assert_eq!(
            (quantity(1, "row"), quantity(2_000, "row")),
            ("1 row".into(), "2,000 rows".into())
        );
        assert_eq!((per_second(3.12), per_second(2450.4)), ("3.1/s".into(), "2,450/s".into()));
    }

    #[test]
    fn durations_and_times_are_short() {
        for (seconds, text) in [(8.24, "8.2 s"), (185.0, "3 min 05 s"), (7_830.0, "2 h 10 min")] {
            assert_eq!(duration(Duration::from_secs_f64(seconds)), text);
        }
        assert_eq!(time(1_700_000_000), "2023-11-14 22:13:20 UTC");
        let system = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        assert_eq!(iso_time(system), "2023-11-14T22:13:20Z");
    }
}
