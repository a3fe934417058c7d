//! JSON numbers, converted without using a float, so that a column never contains a rounded value.

/// An integer, which may be written as `50.0` or `5e3`. `None` if the value does not fit exactly.
pub(super) fn integer(raw: &str) -> Option<i64> {
    raw.parse::<i64>().ok().or_else(|| {
        number(raw)?;
        let (mantissa, exponent) = raw.split_once(['e', 'E']).unwrap_or((raw, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}");
        let kept = digits.trim_end_matches('0');
        if matches!(kept, "" | "-") {
            return Some(0);
        }
        let cut = digits.len() - kept.len() + exponent.parse::<usize>().unwrap_or(0);
        let below = fraction.len() + exponent.strip_prefix('-').map_or(Ok(0), str::parse).ok()?;
        let zeros = cut.checked_sub(below)?;
        format!("{kept}{}", "0".repeat(zeros)).parse().ok()
    })
}

/// The number of significant digits of a JSON number. `None` for other values and for numbers
/// outside the range of PostgreSQL's `numeric` and `f64`.
pub(super) fn number(raw: &str) -> Option<u32> {
    if !matches!(raw.as_bytes().first(), Some(b'-' | b'0'..=b'9')) || raw.len() > 1000 {
        return None;
    }
    let (digits, exponent) = raw.split_once(['e', 'E']).unwrap_or((raw, "0"));
    exponent.parse::<i32>().ok().filter(|e| e.abs() <= 300)?;
    let digits = digits.bytes().filter(u8::is_ascii_digit).skip_while(|d| *d == b'0').count();
    u32::try_from(digits).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_exact_or_missing() {
        for (raw, value) in [
            ("7", Some(7)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("9223372036854775808", None),
            ("9223372036854775807.00", Some(i64::MAX)),
            ("9007199254740993.0", Some(9_007_199_254_740_993)),
            ("50.0", Some(50)),
            ("-0", Some(0)),
            ("-0.0", Some(0)),
            ("0e5", Some(0)),
            ("5e3", Some(5000)),
            ("-5E+3", Some(-5000)),
            ("1.5e1", Some(15)),
            ("1.25e1", None),
            ("5000e-3", Some(5)),
            ("5000e-4", None),
            ("50.5", None),
            // Converted to a float, each of these is an integer.
            ("4503599627370497.3", None),
            ("1.00000000000000000001", None),
            ("1e-300", None),
            ("1e30", None),
            ("1e400000", None),
            ("\"7\"", None),
            ("true", None),
            ("{}", None),
        ] {
            assert_eq!(integer(raw), value, "{raw}");
        }
        assert_eq!(integer(&format!("0.{}1", "0".repeat(400))), None);
    }

    #[test]
    fn the_significant_digits_are_counted() {
        assert_eq!(number("0.0120"), Some(3));
        assert_eq!(number("-12.5e-3"), Some(3));
        assert_eq!(number("1e301"), None);
        assert_eq!(number("null"), None);
    }
}
