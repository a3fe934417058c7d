//! Generates JSON text for property tests, in all forms that the grammar allows.

use proptest::collection::vec;
use proptest::prelude::*;

/// Any value.
pub(crate) fn any_json() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![
        any_string(),
        r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,4})?",
        prop::sample::select(vec!["true", "false", "null"]).prop_map(str::to_owned),
    ];
    scalar.prop_recursive(6, 60, 8, |inner| {
        prop_oneof![
            (vec(inner.clone(), 0..6), space())
                .prop_map(|(items, s)| { format!("[{s}{}{s}]", items.join(&format!("{s},{s}"))) }),
            object(inner.clone()),
            // Nesting deeper than any fixed limit.
            (inner, 60..200_usize)
                .prop_map(|(value, depth)| "[".repeat(depth) + &value + &"]".repeat(depth)),
        ]
    })
}

/// Any object, with keys that occur more than once.
pub(crate) fn any_object() -> impl Strategy<Value = String> {
    object(any_json())
}

fn object(value: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    (vec((key(), value), 0..8), space()).prop_map(|(fields, s)| {
        let fields: Vec<String> =
            fields.iter().map(|(key, value)| format!("{key}{s}:{s}{value}")).collect();
        format!("{{{s}{}{s}}}", fields.join(&format!("{s},{s}")))
    })
}

/// Mostly keys that the engine reads.
fn key() -> impl Strategy<Value = String> {
    const KNOWN: &[&str] = &[
        r#""id""#,
        r#""\u0069d""#,
        r#""object""#,
        r#""created""#,
        r#""deleted""#,
        r#""""#,
        r#""a""#,
        r#""\u0061""#,
        r#""data""#,
        r#""has_more""#,
        r#""lines""#,
        r#""metadata""#,
        r#""amount""#,
        r#""livemode""#,
        r#""currency""#,
        r#""custom\u0065r""#,
        r#""subscription""#,
    ];
    prop_oneof![3 => prop::sample::select(KNOWN).prop_map(str::to_owned), 1 => any_string()]
}

fn any_string() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => "[ -!#-\\[\\]-~]{0,20}",
        1 => prop::sample::select(vec![
            r#"\""#, r"\\", r"\/", r"\b", r"\f", r"\n", r"\r", r"\t", r"\u0000", r"\u00e9", r"\ud800",
            r"\udfff", r"\ud83d\ude00", "{", "}", "[", "]", ",", ":", "é", "\u{7f}", "\u{2028}", "😀",
        ]).prop_map(str::to_owned),
    ];
    vec(piece, 0..6).prop_map(|pieces| format!("\"{}\"", pieces.concat()))
}

fn space() -> impl Strategy<Value = String> {
    prop_oneof![3 => Just(String::new()), 1 => "[ \n\r\t]{1,3}"]
}
