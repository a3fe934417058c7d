//! The rate of change over the last seconds. Rows of earlier commands do not count.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

const WINDOW: Duration = Duration::from_secs(4);

/// Measures one growing number.
#[derive(Default)]
pub(super) struct Meter {
    readings: VecDeque<(Instant, f64)>,
}

impl Meter {
    /// Records a reading.
    pub(super) fn read(&mut self, now: Instant, value: f64) {
        self.readings.push_back((now, value));
        // One reading older than the window is kept, so that the window is always covered.
        while self.readings.get(1).is_some_and(|(at, _)| now.duration_since(*at) >= WINDOW) {
            self.readings.pop_front();
        }
    }

    /// Per second, over the window.
    pub(super) fn rate(&self) -> f64 {
        let (Some((from, first)), Some((to, last))) = (self.readings.front(), self.readings.back())
        else {
            return 0.0;
        };
        let seconds = to.duration_since(*from).as_secs_f64();
        if seconds > 0.0 { (last - first) / seconds } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_that_of_the_last_seconds() {
        let start = Instant::now();
        let mut meter = Meter::default();
        assert_eq!(meter.rate(), 0.0);
        // A resumed run starts with a million rows.
        for second in 0..20 {
            let slow = f64::from(second.min(10)) * 100.0 + f64::from((second - 10).max(0)) * 10.0;
            meter.read(start + Duration::from_secs(second as u64), 1_000_000.0 + slow);
            if second == 10 {
                assert!((meter.rate() - 100.0).abs() < 0.001);
            }
        }
        assert!((meter.rate() - 10.0).abs() < 0.001, "{}", meter.rate());
    }
}
