//! Pseudo-random numbers as pure functions of a seed: nothing is drawn in sequence, so any object can be made alone.

/// The finaliser of SplitMix64: a bijection of 64 bits that scatters well.
pub(crate) fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// A number that depends on both arguments.
pub(crate) fn mix2(a: u64, b: u64) -> u64 {
    mix(a ^ mix(b.wrapping_add(0x9e37_79b9_7f4a_7c15)))
}

/// A number of a text: FNV-1a, scattered.
pub(crate) fn of_text(text: &str) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in text.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    mix(hash)
}

/// A fraction in `[0, 1)` from a hash.
pub(crate) fn fraction(hash: u64) -> f64 {
    // 53 bits are exact in an f64.
    (hash >> 11) as f64 / (1u64 << 53) as f64
}
