//! Generates unusual objects: values of every kind under known and unknown names.

use proptest::prelude::*;

use crate::catalog::Table;

/// Raw JSON text of any kind.
fn any_json() -> impl Strategy<Value = String> {
    let number = prop_oneof![
        Just("-0".to_owned()),
        Just("-0.0".to_owned()),
        Just("50.0".to_owned()),
        Just("1e5".to_owned()),
        Just("1E-7".to_owned()),
        Just("1e400".to_owned()),
        Just("-2.50e-310".to_owned()),
        Just("9223372036854775807".to_owned()),
        Just("9223372036854775808".to_owned()),
        Just("-9223372036854775809".to_owned()),
        Just("9007199254740993.0".to_owned()),
        Just("0.1234567890123456789".to_owned()),
        Just(format!("{}.5", "7".repeat(1100))),
        any::<i64>().prop_map(|n| n.to_string()),
        any::<f64>()
            .prop_filter("JSON has no infinity", |n| n.is_finite())
            .prop_map(|n| format!("{n:e}")),
        (any::<i32>(), 0..9_i32).prop_map(|(n, e)| format!("{n}.{e}0e{e}")),
    ];
    let words =
        vec!["null", "true", "false", "\"1e5\"", "\"null\"", "\"{}\"", "[]", "{}", "[ ]", "\"\""];
    let leaf = prop_oneof![
        3 => proptest::sample::select(words).prop_map(str::to_owned),
        3 => number,
        3 => any_string(),
        1 => any_string().prop_map(|id| format!(r#"{{"id":{id},"object":"x","deleted":true}}"#)),
        1 => (0..600_usize).prop_map(|deep| format!("{}7{}", "[".repeat(deep), "]".repeat(deep))),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5)
                .prop_map(|items| format!("[ {}]", items.join(" , "))),
            proptest::collection::vec((any_string(), inner.clone()), 0..5)
                .prop_map(|fields| object(&fields)),
            proptest::collection::vec((ambiguous_key(), inner), 2..5)
                .prop_map(|fields| object(&fields)),
        ]
    })
}

/// A JSON string with its quotes, made of pieces that parsers often get wrong.
fn any_string() -> impl Strategy<Value = String> {
    let pieces = [
        "",
        "a",
        "é",
        "😀",
        " ",
        ".",
        "'",
        "%",
        "$1",
        "{",
        "]",
        ",",
        ":",
        "\\\"",
        "\\\\",
        "\\/",
        "\\n",
        "\\u0000",
        "\\u0001",
        "\\ud800",
        "\\udfff",
        "\\ud83d\\ude00",
        "\\u00e9",
        "\\uFFFD",
        "data",
        "id",
    ];
    proptest::collection::vec(proptest::sample::select(pieces.to_vec()), 0..5)
        .prop_map(|pieces| format!("\"{}\"", pieces.concat()))
}

/// Keys that become the same key when PostgreSQL stores them.
fn ambiguous_key() -> impl Strategy<Value = String> {
    let keys = ["a\\u0000", "a\\ud800", "a\\uFFFD", "a\\udfff", "a\\u0000\\u0000"];
    proptest::sample::select(keys.to_vec()).prop_map(|key| format!("\"{key}\""))
}

pub(super) fn object(fields: &[(String, String)]) -> String {
    let fields: Vec<_> = fields.iter().map(|(key, value)| format!("{key} : {value}")).collect();
    format!("{{ {}}}", fields.join(","))
}

/// The fields of an object of `table`: known properties with values that fit and values that do
/// not, unknown properties, and names that the engine uses.
pub(super) fn any_fields(table: &'static Table) -> impl Strategy<Value = Vec<(String, String)>> {
    let columns: Vec<&str> =
        table.columns.iter().map(|c| c.name.as_str()).filter(|name| *name != "id").collect();
    let reserved =
        vec!["_extra", "_account_id", "updated_at", "last_synced_at", "t", "excluded", "ID", ""];
    let key = prop_oneof![
        12 => proptest::sample::select(columns.clone()).prop_map(|name| format!("\"{name}\"")),
        1 => proptest::sample::select(columns).prop_map(|name| {
            format!("\"\\u{:04x}{}\"", name.as_bytes()[0], &name[1..])
        }),
        1 => proptest::sample::select(reserved).prop_map(|name| format!("\"{name}\"")),
        2 => any_string(),
        2 => ambiguous_key(),
    ];
    proptest::collection::vec((key, any_json()), 0..12)
}
