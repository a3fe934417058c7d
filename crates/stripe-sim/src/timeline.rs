//! When objects were created: a function of their index that never falls, so that a moment is found by bisection.

use crate::seed::mix2;

/// The creation times of one rooted collection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timeline {
    pub(crate) count: u64,
    from: i64,
    to: i64,
    salt: u64,
    crowd_from: u64,
    crowd_to: u64,
}

/// Objects that come in bursts share a second with their block.
const BLOCK: u64 = 8;

impl Timeline {
    /// `count` objects between the Unix seconds `from` and `to`, a share `crowd` of them in one single second.
    pub(crate) fn new(count: u64, from: i64, to: i64, salt: u64, crowd: f64) -> Self {
        let crowd_from = count * 2 / 5;
        let crowd_to = (crowd_from + (count as f64 * crowd) as u64).min(count);
        Self { count, from, to, salt, crowd_from, crowd_to }
    }

    /// The Unix second in which the object at `index` was created.
    pub(crate) fn at(&self, index: u64) -> i64 {
        let mut index = index;
        if (self.crowd_from..self.crowd_to).contains(&index) {
            index = self.crowd_from;
        } else if mix2(self.salt, index / BLOCK).is_multiple_of(6) {
            // Never below the crowd's end: the function must not fall.
            let block = index / BLOCK * BLOCK;
            index =
                if index >= self.crowd_to { block.max(self.crowd_to.min(index)) } else { block };
        }
        // Growing accounts: the newest part of the window is three times as dense as the oldest.
        let x = (index as f64 + 0.5) / self.count.max(1) as f64;
        self.from + ((self.to - self.from) as f64 * x * (1.5 - 0.5 * x)) as i64
    }

    #[cfg(test)]
    /// The first index created at `second` or later; `count` if none.
    pub(crate) fn first_at_or_after(&self, second: i64) -> u64 {
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let mid = low + (high - low) / 2;
            if self.at(mid) < second { low = mid + 1 } else { high = mid }
        }
        low
    }
}

/// Spreads `parts` over `total` places as evenly as possible, each part a strictly rising set of places.
///
/// Balance transactions are shared out like this between charges, refunds, payouts and so on, and both directions are
/// computable: from a place to its part, and from a member of a part to its place.
#[derive(Clone, Debug)]
pub(crate) struct Interleave {
    total: u64,
    parts: Vec<u64>,
}

impl Interleave {
    pub(crate) fn new(total: u64, parts: &[u64]) -> Self {
        let mut left = total;
        let parts = parts
            .iter()
            .map(|p| {
                let part = (*p).min(left);
                left -= part;
                part
            })
            .collect();
        Self { total, parts }
    }

    /// The part that owns the place, and the index inside that part; `None` for a place that is left over.
    pub(crate) fn owner(&self, mut place: u64) -> Option<(usize, u64)> {
        let mut total = self.total;
        for (which, part) in self.parts.iter().copied().enumerate() {
            if place >= total {
                return None;
            }
            let (before, upto) = (muldiv(place, part, total), muldiv(place + 1, part, total));
            if upto > before {
                return Some((which, before));
            }
            place -= upto;
            total -= part;
        }
        None
    }

    /// The place of a part's member.
    pub(crate) fn place(&self, which: usize, index: u64) -> Option<u64> {
        if index >= *self.parts.get(which)? {
            return None;
        }
        let mut totals = vec![self.total];
        for part in &self.parts {
            totals.push(totals[totals.len() - 1] - part);
        }
        let part = self.parts[which];
        let mut place = muldiv_up(index + 1, totals[which], part) - 1;
        for earlier in (0..which).rev() {
            place = muldiv(place, totals[earlier], totals[earlier + 1]);
        }
        Some(place)
    }
}

/// `a * b / c`, rounded down, without overflow; 0 when `c` is 0.
pub(crate) fn muldiv(a: u64, b: u64, c: u64) -> u64 {
    if c == 0 { 0 } else { (u128::from(a) * u128::from(b) / u128::from(c)) as u64 }
}

/// The same, rounded up.
pub(crate) fn muldiv_up(a: u64, b: u64, c: u64) -> u64 {
    if c == 0 { 0 } else { (u128::from(a) * u128::from(b)).div_ceil(u128::from(c)) as u64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_never_falls_and_bisection_finds_it() {
        for (count, crowd) in [(1, 0.0), (7, 0.5), (5_000, 0.0), (5_000, 0.2), (100_000, 0.01)] {
            let line = Timeline::new(count, 1_000_000, 2_000_000, 3, crowd);
            let mut last = line.at(0);
            assert!(last >= 1_000_000);
            for i in 1..count {
                let now = line.at(i);
                assert!(now >= last, "{count} {crowd} {i}");
                if now > last {
                    assert_eq!(line.first_at_or_after(now), i);
                }
                last = now;
            }
            assert!(last < 2_000_000);
        }
        let crowded = Timeline::new(5_000, 0, 1_000_000, 3, 0.2);
        let second = crowded.at(2_000);
        let shared = crowded.first_at_or_after(second + 1) - crowded.first_at_or_after(second);
        assert!(shared >= 1_000, "{shared}");
    }

    #[test]
    fn interleaving_goes_both_ways() {
        for (total, parts) in
            [(100, vec![80, 10, 5]), (7, vec![7]), (10, vec![0, 3, 20]), (1000, vec![333, 1, 500])]
        {
            let shared = Interleave::new(total, &parts);
            let mut seen = 0;
            for place in 0..total {
                if let Some((which, index)) = shared.owner(place) {
                    assert_eq!(shared.place(which, index), Some(place));
                    seen += 1;
                }
            }
            assert_eq!(seen, shared.parts.iter().sum::<u64>());
        }
    }
}
