//! Encodes objects as the parameters of one statement.
//!
//! Lossless: a value that its column cannot hold exactly as it was sent, and a property without a
//! column, are stored in `_extra`. The parameters are the catalog's columns in order, then
//! `_extra`, then `last_synced_at`.

use std::borrow::Cow;

use super::array::{Array, Element};
use super::batch::Observation;
use super::escape::unescape;
use super::jsonb::{compact, for_jsonb};
use super::number::{integer, number};
use super::object::Escapes;
use super::properties::Properties;
use super::scan::{get, is_null, string};
use super::value::{self, Value};
use crate::catalog::{Column, Exclusions, JsonKind, Source, SqlType, Table};

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
/// An excluded column is null whatever its sources contain. The objects themselves have already
/// been redacted by [`super::redact`].
pub(crate) fn encode(table: &Table, rows: &[Observation<'_>], exclusions: &Exclusions) -> Encoded {
    let array = |sql| Array::with_rows(element(sql), rows.len());
    let mut arrays: Vec<Array> = table.columns.iter().map(|column| array(column.sql)).collect();
    let mut extra = Array::with_rows(Element::Jsonb, rows.len());
    let mut stamps = Array::with_rows(Element::Timestamptz, rows.len());
    let origins: Vec<Origin> =
        table.columns.iter().map(|column| Origin::of(table, column, exclusions)).collect();
    let mut properties = Properties::of(table);
    let mut values = ValueEncoder { plain: false, replaced: 0 };
    for observation in rows {
        values.plain = observation.object.escapes() == Escapes::Nowhere;
        properties.read(observation.object);
        let columns = table.columns.iter().zip(&mut arrays).zip(&origins).enumerate();
        for (place, ((column, array), origin)) in columns {
            let own = properties.own(place).filter(|(_, raw)| !is_null(raw));
            let value = match (origin, own) {
                (Origin::Excluded, _) => None,
                (Origin::Own | Origin::OwnFirst, Some((_, raw))) => Some(Value::Own(raw)),
                (Origin::Own, None) => None,
                // A value that is not a string could become the key of another row when converted
                // to text. The server rejects a row without a key.
                (Origin::Id, Some((_, raw))) => raw.starts_with('"').then_some(Value::Own(raw)),
                (Origin::Id, None) => None,
                (Origin::OwnFirst | Origin::Elsewhere, _) => {
                    let property = |name: &str| properties.value(name);
                    value::find(&column.from, property, observation.parent)
                }
            };
            let is_own = matches!(value, Some(Value::Own(_)));
            let exact = values.push(array, column, value);
            if is_own && !exact {
                properties.rest.extend(own);
            }
        }
        values.push_extra(&mut extra, &properties.rest);
        stamps.push_timestamptz(observation.stamp.micros());
    }
    arrays.extend([extra, stamps]);
    Encoded { arrays, replaced: values.replaced }
}

/// Where the values of a column come from.
enum Origin {
    Excluded,
    /// The property `id`, which has to be a string.
    Id,
    /// Only the column's own property.
    Own,
    /// The column's own property, or another source if it is absent or null.
    OwnFirst,
    Elsewhere,
}

impl Origin {
    fn of(table: &Table, column: &Column, exclusions: &Exclusions) -> Origin {
        let is_own =
            matches!(&column.from[0], Source::Path(path) if *path == [column.name.as_str()]);
        match column.from.len() {
            _ if exclusions.has(&table.name, &column.name) => Origin::Excluded,
            1 if is_own && column.name == "id" => Origin::Id,
            1 if is_own => Origin::Own,
            _ if is_own => Origin::OwnFirst,
            _ => Origin::Elsewhere,
        }
    }
}

fn element(sql: SqlType) -> Element {
    match sql {
        // A numeric is sent as text and cast in the statement.
        SqlType::Text | SqlType::Numeric => Element::Text,
        SqlType::Bigint => Element::Bigint,
        SqlType::Boolean => Element::Boolean,
        SqlType::Double => Element::Double,
        SqlType::Jsonb => Element::Jsonb,
    }
}

struct ValueEncoder {
    /// The object contains no escapes: its strings are stored as they are written.
    plain: bool,
    /// Characters that became U+FFFD.
    replaced: u64,
}

impl ValueEncoder {
    /// Appends a value; true if the column holds exactly what was sent.
    fn push(&mut self, out: &mut Array, column: &Column, value: Option<Value<'_>>) -> bool {
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
            SqlType::Text => self.push_text(out, column.json, &raw),
            SqlType::Jsonb => {
                self.push_jsonb(out, &raw);
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

    /// An expandable property is stored as its id, another object as compact JSON, a number as its
    /// digits.
    fn push_text(&mut self, out: &mut Array, kind: JsonKind, raw: &str) -> bool {
        if let Some(inner) = raw.strip_prefix('"').and_then(|r| r.strip_suffix('"')) {
            if self.plain {
                out.push_text(inner);
            } else {
                let repaired = unescape(inner);
                self.replaced += repaired.replaced;
                out.push_text(&repaired.text);
            }
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

    fn push_jsonb(&mut self, out: &mut Array, raw: &str) {
        if self.plain {
            return out.push_jsonb(raw);
        }
        let repaired = for_jsonb(raw);
        self.replaced += repaired.replaced;
        out.push_jsonb(&repaired.text);
    }

    fn push_extra(&mut self, out: &mut Array, rest: &[(&str, &str)]) {
        if rest.is_empty() {
            return out.push_null();
        }
        let fields: Vec<String> =
            rest.iter().map(|(key, raw)| format!("\"{key}\":{raw}")).collect();
        self.push_jsonb(out, &format!("{{{}}}", fields.join(",")));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use crate::order::Stamp;
    use crate::row::any_json::any_object;
    use crate::row::{ListIndex, Object};

    #[test]
    fn text_columns_accept_any_value_and_report_inexact_ones() {
        let exact = |kind, raw| {
            let mut values = ValueEncoder { plain: false, replaced: 0 };
            values.push_text(&mut Array::with_rows(Element::Text, 1), kind, raw)
        };
        assert!(exact(JsonKind::Id, "\"cus_1\""));
        assert!(!exact(JsonKind::Id, r#"{"id":"cus_1","object":"customer"}"#));
        assert!(exact(JsonKind::Json, r#"{"id":"req_1"}"#));
        assert!(!exact(JsonKind::Json, "\"req_1\""));
        assert!(!exact(JsonKind::String, "5"));
        assert!(exact(JsonKind::Integer, "5"));
        assert!(!exact(JsonKind::String, "true"));
    }

    proptest::proptest! {
        /// The row of an object from a scanned page equals the row of its text alone.
        #[test]
        fn a_scanned_object_becomes_the_same_row(
            objects in proptest::collection::vec(any_object(), 1..4)
        ) {
            let text = format!(r#"{{"data":[{}],"has_more":false}}"#, objects.join(","));
            let list = ListIndex::read(&text).expect("a list");
            for table in ["invoices", "charges", "exchange_rates"] {
                let table = Catalog::get().table(table).expect("a table");
                let wire = |objects: Vec<Object<'_>>| {
                    let row = |object| Observation {
                        id: "a".into(),
                        object,
                        stamp: Stamp::from_micros(1),
                        parent: None,
                        request_id: None,
                    };
                    let rows: Vec<Observation<'_>> = objects.into_iter().map(row).collect();
                    let mut encoded = encode(table, &rows, &Exclusions::default());
                    let bytes: Vec<Vec<u8>> =
                        encoded.arrays.iter_mut().map(|array| array.wire().to_vec()).collect();
                    (bytes, encoded.replaced)
                };
                let scanned = wire(list.items(&text).collect());
                let unscanned = wire(objects.iter().map(|json| json.as_str().into()).collect());
                proptest::prop_assert_eq!(scanned, unscanned);
            }
        }
    }
}
