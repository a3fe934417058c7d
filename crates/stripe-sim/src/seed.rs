//! Pseudo-random numbers as pure functions of a seed. No number depends on earlier ones, so each
//! object can be generated independently.

/// Returns a hash of a number: the finalizer of SplitMix64, which is a bijection.
pub(crate) fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// Returns a hash of two numbers.
pub(crate) fn mix2(a: u64, b: u64) -> u64 {
    mix(a ^ mix(b.wrapping_add(0x9e37_79b9_7f4a_7c15)))
}

/// Returns a hash of a text: FNV-1a, mixed.
pub(crate) fn of_text(text: &str) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in text.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    mix(hash)
}

/// Converts a hash to a number in `[0, 1)`.
pub(crate) fn fraction(hash: u64) -> f64 {
    // An f64 represents 53 bits exactly.
    (hash >> 11) as f64 / (1u64 << 53) as f64
}
