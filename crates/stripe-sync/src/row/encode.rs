//! Objects to the columns of one statement.
//!
//! Lossless: what a column cannot hold exactly as it was sent goes, with everything that has no
//! column, into `_extra`. The columns' order is that of the catalog, then `_extra`, then
//! `last_synced_at`.

use std::borrow::Cow;
use std::collections::HashMap;

use super::array::{Array, Element};
use super::batch::Observation;
use super::escape::unescape;
use super::jsonb::{compact, for_jsonb};
use super::number::{integer, number};
use super::object::Object;
use super::scan::{get, is_null, key_is, string};
use super::value::{self, Value};
use crate::catalog::{Column, Exclusions, JsonKind, SqlType, Table};

/// The parameters of one statement.
#[derive(Debug)]
pub(crate) struct Encoded {
    /// One array per column of the catalog, then `_extra` and `last_synced_at`.
    pub(crate) arrays: Vec<Array>,
    /// Characters that became U+FFFD.
    pub(crate) replaced: u64,
}

/// Encodes the rows of `table`.
///
/// A column that is left out is null whatever its sources hold; the objects themselves have been
/// through [`super::redact`].
pub(crate) fn encode(table: &Table, rows: &[Observation<'_>], left_out: &Exclusions) -> Encoded {
    let mut arrays: Vec<Array> = table.columns.iter().map(|c| Array::new(element(c.sql))).collect();
    let mut extra = Array::new(Element::Jsonb);
    let mut stamps = Array::new(Element::Timestamptz);
    let places: HashMap<&str, usize> =
        table.columns.iter().enumerate().map(|(i, c)| (c.name.as_str(), i)).collect();
    let absent: Vec<bool> =
        table.columns.iter().map(|c| left_out.has(&table.name, &c.name)).collect();
    let mut row = RowScan { own: vec![None; table.columns.len()], rest: Vec::new() };
    let mut replaced = 0;
    for observation in rows {
        row.read(observation.object, &places);
        for (i, column) in table.columns.iter().enumerate() {
            if absent[i] {
                arrays[i].push_null();
                continue;
            }
            let property = |name: &str| match places.get(name) {
                Some(place) => row.own[*place].map(|(_, value)| value),
                None => row.rest.iter().rfind(|(key, _)| key_is(key, name)).map(|(_, v)| *v),
            };
            let value = match row.own[i] {
                // The common case: the column's own property and no other source to weigh.
                Some((_, raw)) if column.is_own() && !is_null(raw) => Some(Value::Own(raw)),
                _ => value::find(&column.from, property, observation.parent),
            };
            // Anything else would take another row's key. Without one the server refuses it.
            let value = value.filter(|v| {
                column.name != "id" || !matches!(v, Value::Own(raw) if !raw.starts_with('"'))
            });
            let own = matches!(value, Some(Value::Own(_)));
            let exact = push(&mut arrays[i], column, value, &mut replaced);
            if own && !exact {
                row.rest.extend(row.own[i]);
            }
        }
        replaced += push_extra(&mut extra, &row.rest);
        stamps.push_timestamptz(observation.stamp.micros());
    }
    arrays.extend([extra, stamps]);
    Encoded { arrays, replaced }
}

/// The fields of one object: those with a column in its place, the rest in their order.
struct RowScan<'a> {
    own: Vec<Option<(&'a str, &'a str)>>,
    rest: Vec<(&'a str, &'a str)>,
}

impl<'a> RowScan<'a> {
    fn read(&mut self, object: Object<'a>, places: &HashMap<&str, usize>) {
        self.own.fill(None);
        self.rest.clear();
        for (key, raw) in object.fields() {
            let place = match key.contains('\\') {
                false => places.get(key),
                true => places.get(unescape(key).text.as_ref()),
            };
            match place {
                Some(place) => self.own[*place] = Some((key, raw)),
                None => self.rest.push((key, raw)),
            }
        }
    }
}

impl Column {
    fn is_own(&self) -> bool {
        matches!(&self.from[0], crate::catalog::Source::Path(path) if path.len() == 1)
    }
}

fn element(sql: SqlType) -> Element {
    match sql {
        // A numeric travels as its digits and is cast in the statement.
        SqlType::Text | SqlType::Numeric => Element::Text,
        SqlType::Bigint => Element::Bigint,
        SqlType::Boolean => Element::Boolean,
        SqlType::Double => Element::Double,
        SqlType::Jsonb => Element::Jsonb,
    }
}

/// Appends a value; true if the column holds exactly what was sent.
fn push(out: &mut Array, column: &Column, value: Option<Value<'_>>, replaced: &mut u64) -> bool {
    let raw: Cow<'_, str> = match value {
        None => {
            out.push_null();
            return true;
        }
        Some(Value::Text(text)) => {
            out.push_text(text);
            return true;
        }
        Some(Value::Own(raw)) => raw.into(),
        Some(Value::Derived(raw)) => raw,
    };
    match column.sql {
        SqlType::Text => push_text(out, column.json, &raw, replaced),
        SqlType::Jsonb => {
            let repaired = for_jsonb(&raw);
            *replaced += repaired.replaced;
            out.push_jsonb(&repaired.text);
            true
        }
        SqlType::Bigint => push_fitting(out, integer(&raw), Array::push_bigint),
        SqlType::Boolean => {
            let value = matches!(&*raw, "true" | "false").then_some(&*raw == "true");
            push_fitting(out, value, Array::push_boolean)
        }
        SqlType::Double => {
            let exact = number(&raw).is_some_and(|digits| digits <= f64::DIGITS);
            let value =
                number(&raw).and_then(|_| raw.parse::<f64>().ok()).filter(|v| v.is_finite());
            push_fitting(out, value, Array::push_double) && exact
        }
        SqlType::Numeric => {
            let value = number(&raw).map(|_| &*raw);
            push_fitting(out, value, Array::push_text)
        }
    }
}

fn push_fitting<T>(out: &mut Array, value: Option<T>, push: impl Fn(&mut Array, T)) -> bool {
    let fits = value.is_some();
    match value {
        Some(value) => push(out, value),
        None => out.push_null(),
    }
    fits
}

/// An expandable goes in as its id, another object as compact JSON, a number as its digits.
fn push_text(out: &mut Array, kind: JsonKind, raw: &str, replaced: &mut u64) -> bool {
    if let Some(inner) = raw.strip_prefix('"').and_then(|r| r.strip_suffix('"')) {
        let repaired = unescape(inner);
        *replaced += repaired.replaced;
        out.push_text(&repaired.text);
        return matches!(kind, JsonKind::String | JsonKind::Id);
    }
    if kind == JsonKind::Id
        && let Some(id) = get(raw, "id").and_then(string)
    {
        out.push_text(&id);
        return false;
    }
    out.push_text(&compact(raw));
    match raw.as_bytes().first() {
        Some(b'{' | b'[') => kind == JsonKind::Json,
        Some(b'-' | b'0'..=b'9') => matches!(kind, JsonKind::Integer | JsonKind::Number),
        _ => kind == JsonKind::Boolean,
    }
}

fn push_extra(out: &mut Array, rest: &[(&str, &str)]) -> u64 {
    if rest.is_empty() {
        out.push_null();
        return 0;
    }
    let fields: Vec<String> = rest.iter().map(|(key, raw)| format!("\"{key}\":{raw}")).collect();
    let object = format!("{{{}}}", fields.join(","));
    let repaired = for_jsonb(&object);
    out.push_jsonb(&repaired.text);
    repaired.replaced
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_columns_take_anything_and_say_when_it_is_not_exact() {
        let exact = |kind, raw| {
            let mut replaced = 0;
            push_text(&mut Array::new(Element::Text), kind, raw, &mut replaced)
        };
        assert!(exact(JsonKind::Id, "\"cus_1\""));
        assert!(!exact(JsonKind::Id, r#"{"id":"cus_1","object":"customer"}"#));
        assert!(exact(JsonKind::Json, r#"{"id":"req_1"}"#));
        assert!(!exact(JsonKind::Json, "\"req_1\""));
        assert!(!exact(JsonKind::String, "5"));
        assert!(exact(JsonKind::Integer, "5"));
        assert!(!exact(JsonKind::String, "true"));
    }
}
