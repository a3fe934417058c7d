//! Creation times of objects, as a non-decreasing function of their index. The first object created
//! at or after a given time can be found by binary search.

use crate::seed::mix2;

/// The creation times of one top-level collection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timeline {
    pub(crate) count: u64,
    from: i64,
    to: i64,
    salt: u64,
    /// The range of indexes of the objects that are created in the same second.
    same_second_from: u64,
    same_second_to: u64,
}

/// The size of the blocks of objects. All objects of some blocks are created in the same second.
const BLOCK: u64 = 8;

impl Timeline {
    /// Distributes `count` objects between the Unix seconds `from` and `to`. A share of
    /// `same_second` of them is created in one second.
    pub(crate) fn new(count: u64, from: i64, to: i64, salt: u64, same_second: f64) -> Self {
        let same_second_from = count * 2 / 5;
        let same_second_to = (same_second_from + (count as f64 * same_second) as u64).min(count);
        Self { count, from, to, salt, same_second_from, same_second_to }
    }

    /// The Unix second in which the object at `index` was created.
    pub(crate) fn at(&self, index: u64) -> i64 {
        let mut index = index;
        if (self.same_second_from..self.same_second_to).contains(&index) {
            index = self.same_second_from;
        } else if mix2(self.salt, index / BLOCK).is_multiple_of(6) {
            // Not earlier than the end of the shared second, because times must not decrease.
            let block = index / BLOCK * BLOCK;
            index = if index >= self.same_second_to {
                block.max(self.same_second_to.min(index))
            } else {
                block
            };
        }
        // As in a growing account, more objects are created towards the end of the window.
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

/// Distributes `total` positions among parts as evenly as possible. The members of a part have
/// strictly ascending positions.
///
/// Balance transactions are distributed in this way among charges, refunds, payouts and other
/// objects. Both the part of a position and the position of a member can be computed.
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

    /// Returns the number of the part that has a position, and the index of the member in this
    /// part. Returns `None` if no part has the position.
    pub(crate) fn owner(&self, mut position: u64) -> Option<(usize, u64)> {
        let mut total = self.total;
        for (number, part) in self.parts.iter().copied().enumerate() {
            if position >= total {
                return None;
            }
            let before = muldiv(position, part, total);
            let including = muldiv(position + 1, part, total);
            if including > before {
                return Some((number, before));
            }
            position -= including;
            total -= part;
        }
        None
    }

    /// Returns the position of a member of a part.
    pub(crate) fn position(&self, number: usize, index: u64) -> Option<u64> {
        if index >= *self.parts.get(number)? {
            return None;
        }
        let mut totals = vec![self.total];
        for part in &self.parts {
            totals.push(totals[totals.len() - 1] - part);
        }
        let part = self.parts[number];
        let mut position = muldiv_up(index + 1, totals[number], part) - 1;
        for earlier in (0..number).rev() {
            position = muldiv(position, totals[earlier], totals[earlier + 1]);
        }
        Some(position)
    }
}

/// Computes `a * b / c`, rounded down, without overflow. Returns 0 if `c` is 0.
pub(crate) fn muldiv(a: u64, b: u64, c: u64) -> u64 {
    if c == 0 { 0 } else { (u128::from(a) * u128::from(b) / u128::from(c)) as u64 }
}

/// Computes `a * b / c`, rounded up, without overflow. Returns 0 if `c` is 0.
pub(crate) fn muldiv_up(a: u64, b: u64, c: u64) -> u64 {
    if c == 0 { 0 } else { (u128::from(a) * u128::from(b)).div_ceil(u128::from(c)) as u64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_do_not_decrease_and_are_found_by_binary_search() {
        for (count, same_second) in
            [(1, 0.0), (7, 0.5), (5_000, 0.0), (5_000, 0.2), (100_000, 0.01)]
        {
            let timeline = Timeline::new(count, 1_000_000, 2_000_000, 3, same_second);
            let mut last = timeline.at(0);
            assert!(last >= 1_000_000);
            for i in 1..count {
                let now = timeline.at(i);
                assert!(now >= last, "{count} {same_second} {i}");
                if now > last {
                    assert_eq!(timeline.first_at_or_after(now), i);
                }
                last = now;
            }
            assert!(last < 2_000_000);
        }
        let timeline = Timeline::new(5_000, 0, 1_000_000, 3, 0.2);
        let second = timeline.at(2_000);
        let count = timeline.first_at_or_after(second + 1) - timeline.first_at_or_after(second);
        assert!(count >= 1_000, "{count}");
    }

    #[test]
    fn interleaving_can_be_computed_in_both_directions() {
        for (total, parts) in
            [(100, vec![80, 10, 5]), (7, vec![7]), (10, vec![0, 3, 20]), (1000, vec![333, 1, 500])]
        {
            let interleave = Interleave::new(total, &parts);
            let mut count = 0;
            for position in 0..total {
                if let Some((number, index)) = interleave.owner(position) {
                    assert_eq!(interleave.position(number, index), Some(position));
                    count += 1;
                }
            }
            assert_eq!(count, interleave.parts.iter().sum::<u64>());
        }
    }
}
