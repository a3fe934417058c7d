//! One hash for names that have to be the same in every build and on every machine.

/// FNV-1a, which std's hasher does not promise to stay.
pub(crate) fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
