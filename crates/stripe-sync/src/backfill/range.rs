//! The `created` range of a backfill, as typed and in Unix seconds.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

/// A half-open range of `created`, `[since, until)`, in Unix seconds. `None` is open: no bound is
/// sent to Stripe.
///
/// Keeps the text it was parsed from: two backfills with the same text are the same run, even
/// though `30d` means a different second each time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Range {
    since: Option<i64>,
    until: Option<i64>,
    typed: Vec<String>,
}

/// Why a time or range is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RangeError {
    /// Not a date, a duration or a number.
    #[error(
        "cannot read the time {0:?}: give a date (2024-01-31), a date and time \
         (2024-01-31T12:00:00Z), a duration before now (30d, 12h), or Unix seconds"
    )]
    Unreadable(String),
    /// The range contains no second.
    #[error("the range is empty: it ends at or before its start")]
    Empty,
    /// Outside the years that can be displayed, most likely because it is in milliseconds.
    #[error("the time {0:?} is out of range")]
    OutOfRange(String),
}

impl Range {
    /// All time, without bounds.
    pub fn all() -> Range {
        Range::default()
    }

    /// From `since` (included) to `until` (not included), as a user types them.
    ///
    /// # Errors
    /// A time is invalid, or the range is empty.
    pub fn parse(since: Option<&str>, until: Option<&str>, now: i64) -> Result<Range, RangeError> {
        let mut range = Range::default();
        if let Some(text) = since {
            range = range.gte(seconds(text, now)?, &format!("since {text}"));
        }
        if let Some(text) = until {
            range = range.lt(seconds(text, now)?, &format!("until {text}"));
        }
        range.checked()
    }

    /// Stripe's own four bounds, in Unix seconds. The range satisfies all of them.
    ///
    /// # Errors
    /// The range is empty or out of bounds.
    pub fn created(
        self,
        gt: Option<i64>,
        gte: Option<i64>,
        lt: Option<i64>,
        lte: Option<i64>,
    ) -> Result<Range, RangeError> {
        let next = |s: i64| s.checked_add(1).ok_or_else(|| RangeError::OutOfRange(s.to_string()));
        let mut range = self;
        if let Some(s) = gt {
            range = range.gte(next(s)?, &format!("created > {s}"));
        }
        if let Some(s) = gte {
            range = range.gte(s, &format!("created >= {s}"));
        }
        if let Some(s) = lt {
            range = range.lt(s, &format!("created < {s}"));
        }
        if let Some(s) = lte {
            range = range.lt(next(s)?, &format!("created <= {s}"));
        }
        range.checked()
    }

    fn gte(mut self, second: i64, words: &str) -> Range {
        self.since = Some(self.since.map_or(second, |s| s.max(second)));
        self.typed.push(words.to_owned());
        self
    }

    fn lt(mut self, second: i64, words: &str) -> Range {
        self.until = Some(self.until.map_or(second, |u| u.min(second)));
        self.typed.push(words.to_owned());
        self
    }

    fn checked(self) -> Result<Range, RangeError> {
        match (self.since, self.until) {
            (Some(since), Some(until)) if since >= until => Err(RangeError::Empty),
            (_, Some(until)) if until < 1 => Err(RangeError::OutOfRange(until.to_string())),
            (since, until) => match since.into_iter().chain(until).find(|s| !is_shown(*s)) {
                Some(second) => Err(RangeError::OutOfRange(second.to_string())),
                None => Ok(self),
            },
        }
    }

    /// The first second, if there is one.
    pub fn since(&self) -> Option<i64> {
        self.since
    }

    /// The second after the last one, if there is one.
    pub fn until(&self) -> Option<i64> {
        self.until
    }

    /// Whether no bound is set.
    pub fn is_all(&self) -> bool {
        self.since.is_none() && self.until.is_none()
    }

    /// The text it was parsed from; `all time` without bounds.
    pub fn typed(&self) -> String {
        match self.typed.is_empty() {
            true => "all time".to_owned(),
            false => self.typed.join(", "),
        }
    }
}

/// Whether a time can be displayed.
fn is_shown(second: i64) -> bool {
    // Current times in milliseconds, read as seconds, are far beyond the year 9999.
    Timestamp::from_second(second).is_ok()
}

fn seconds(text: &str, now: i64) -> Result<i64, RangeError> {
    let text = text.trim();
    let unreadable = || RangeError::Unreadable(text.to_owned());
    let out_of_range = || RangeError::OutOfRange(text.to_owned());
    if let Ok(number) = text.parse::<i64>() {
        return match number {
            // Users who type 2024, 202401 or 20240131 mean a date.
            1900..2100 | 190_001..210_000 | 19_000_101..21_000_000 => Err(unreadable()),
            _ if is_shown(number) => Ok(number),
            _ => Err(out_of_range()),
        };
    }
    if let Ok(timestamp) = text.parse::<Timestamp>() {
        return Ok(timestamp.as_second());
    }
    let looks_like_date = text.len() >= 8 && text.as_bytes()[..4].iter().all(u8::is_ascii_digit);
    if looks_like_date {
        let civil = text.parse::<DateTime>().map_err(|_| unreadable())?;
        let zoned = civil.to_zoned(TimeZone::UTC).map_err(|_| out_of_range())?;
        return Ok(zoned.timestamp().as_second());
    }
    let span: Span = text.parse().map_err(|_| unreadable())?;
    let now = Timestamp::from_second(now).map_err(|_| out_of_range())?.to_zoned(TimeZone::UTC);
    let back = if span.is_negative() { now.checked_add(span) } else { now.checked_sub(span) };
    back.map(|then| then.timestamp().as_second()).map_err(|_| out_of_range())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_700_000_000;

    #[test]
    fn reads_dates_durations_and_seconds() {
        for (text, second) in [
            ("2024-01-01", 1_704_067_200),
            ("2024-01-01T12:00:00Z", 1_704_110_400),
            ("2024-01-01T12:00:00+01:00", 1_704_106_800),
            ("2024-01-01 12:00", 1_704_110_400),
            ("30d", NOW - 30 * 86_400),
            ("12h", NOW - 12 * 3_600),
            ("2w", NOW - 14 * 86_400),
            ("1704067200", 1_704_067_200),
        ] {
            assert_eq!(seconds(text, NOW), Ok(second), "{text}");
        }
        for text in [
            "",
            "yesterday",
            "2024-13-01",
            "2024-02-30",
            "d30",
            "20 24",
            "2024",
            "202401",
            "20240131",
            "1704067200000",
        ] {
            assert!(seconds(text, NOW).is_err(), "{text}");
        }
    }

    #[test]
    fn stripes_bounds_become_half_open() {
        let range = Range::all().created(Some(10), None, None, Some(20)).expect("range");
        assert_eq!((range.since(), range.until()), (Some(11), Some(21)));
        let narrow = Range::all().created(Some(10), Some(15), Some(30), Some(20)).expect("range");
        assert_eq!((narrow.since(), narrow.until()), (Some(15), Some(21)));
        assert_eq!(Range::all().created(None, Some(5), Some(5), None), Err(RangeError::Empty));
        assert!(Range::all().created(Some(i64::MAX), None, None, None).is_err());
        assert!(Range::all().created(None, Some(1_704_067_200_000), None, None).is_err());
    }

    #[test]
    fn equal_arguments_are_the_same_range() {
        let early = Range::parse(Some("30d"), None, NOW).expect("range");
        let late = Range::parse(Some("30d"), None, NOW + 60).expect("range");
        assert_eq!(early.typed(), late.typed());
        assert_ne!(early, late);
        assert_eq!(Range::all().typed(), "all time");
        assert!(Range::all().is_all());
    }
}
