//! A hash that is the same in every build and on every machine, for names that are stored.

/// FNV-1a. The standard library's hasher may change between releases.
pub(crate) fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
