//! Tests on eight bytes at once, without processor-specific instructions.

/// Eight bytes, in memory order.
#[derive(Clone, Copy)]
pub(super) struct Word(u64);

const ONES: u64 = u64::from_le_bytes([1; 8]);
const HIGH_BITS: u64 = u64::from_le_bytes([0x80; 8]);

impl Word {
    /// The eight bytes at `at`, or `None` if fewer are left.
    #[inline(always)]
    pub(super) fn read(bytes: &[u8], at: usize) -> Option<Word> {
        let (word, _) = bytes.get(at..)?.split_first_chunk()?;
        Some(Word(u64::from_le_bytes(*word)))
    }

    /// Marks the bytes that equal `byte`.
    #[inline(always)]
    pub(super) fn equal(self, byte: u8) -> Marks {
        let zeros = self.0 ^ (ONES * u64::from(byte));
        Marks(zeros.wrapping_sub(ONES) & !zeros & HIGH_BITS)
    }

    /// Marks the bytes below `bound`, which is at most 0x80.
    #[inline(always)]
    pub(super) fn below(self, bound: u8) -> Marks {
        Marks(self.0.wrapping_sub(ONES * u64::from(bound)) & !self.0 & HIGH_BITS)
    }
}

/// Marked bytes of a word. The first mark is exact. Those after it may be wrong, because the
/// subtraction borrows from the bytes after a match.
#[derive(Clone, Copy)]
pub(super) struct Marks(u64);

impl Marks {
    /// The position of the first marked byte.
    #[inline(always)]
    pub(super) fn first(self) -> Option<usize> {
        (self.0 != 0).then(|| self.0.trailing_zeros() as usize / 8)
    }
}

impl std::ops::BitOr for Marks {
    type Output = Marks;

    #[inline(always)]
    fn bitor(self, other: Marks) -> Marks {
        Marks(self.0 | other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_read_only_where_eight_bytes_are_left() {
        assert!(Word::read(b"1234567", 0).is_none());
        assert!(Word::read(b"12345678", 1).is_none());
        assert!(Word::read(b"12345678", usize::MAX).is_none());
        assert!(Word::read(b"12345678", 0).is_some());
    }

    proptest::proptest! {
        #[test]
        fn the_first_mark_is_the_first_match(
            bytes in proptest::array::uniform8(proptest::sample::select(
                b"\"\\\0\x01\x1f\x20\x21\x23\x7f\x80\xff\xa2a".as_slice()
            )),
        ) {
            let word = Word::read(&bytes, 0).expect("eight bytes");
            let first = |test: &dyn Fn(u8) -> bool| bytes.iter().position(|b| test(*b));
            proptest::prop_assert_eq!(word.equal(b'"').first(), first(&|b| b == b'"'));
            proptest::prop_assert_eq!(word.below(0x20).first(), first(&|b| b < 0x20));
            let either = word.equal(b'"') | word.equal(b'\\') | word.below(0x20);
            let test = |b| matches!(b, b'"' | b'\\' | 0..0x20);
            proptest::prop_assert_eq!(either.first(), first(&test));
        }
    }
}
