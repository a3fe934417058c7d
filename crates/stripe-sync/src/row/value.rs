//! The value of a column: that of the first of its sources that is present and not null.

use std::borrow::Cow;

use super::number::integer;
use super::scan::{elements, get, get_path, is_null};
use crate::catalog::{Each, Source};

/// A raw JSON value for a column, or the parent's id.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// The column's own property, as sent.
    Own(&'a str),
    /// Derived from other properties.
    Derived(Cow<'a, str>),
    /// Plain text.
    Text(&'a str),
}

/// Finds the value. `property` returns a property of the object by its name.
pub(super) fn find<'a>(
    sources: &[Source],
    property: impl Fn(&str) -> Option<&'a str>,
    parent: Option<&'a str>,
) -> Option<Value<'a>> {
    let at = |path: &[String]| -> Option<&'a str> {
        let (first, rest) = path.split_first()?;
        get_path(property(first)?, keys(rest)).filter(|raw| !is_null(raw))
    };
    sources.iter().enumerate().find_map(|(position, source)| {
        Some(match source {
            Source::Path(path) if position == 0 && path.len() == 1 => Value::Own(at(path)?),
            Source::Path(path) => Value::Derived(at(path)?.into()),
            Source::Equals(path, text) => {
                let equal = super::scan::string(at(path)?)? == text.as_str();
                Value::Derived(if equal { "true" } else { "false" }.into())
            }
            Source::Sum(each) => {
                let numbers: Vec<&str> = values(each, &at)?.collect::<Option<_>>()?;
                let sum =
                    numbers.iter().try_fold(0_i64, |sum, raw| sum.checked_add(integer(raw)?))?;
                Value::Derived(sum.to_string().into())
            }
            Source::First(each) => Value::Derived(values(each, &at)?.next()??.into()),
            Source::Only(each) => Value::Derived(only(each, &at)?.into()),
            Source::Ids(each) => {
                let ids: Vec<&str> = values(each, &at)?.collect::<Option<_>>()?;
                Value::Derived(format!("[{}]", ids.join(",")).into())
            }
            Source::TaxAmounts(path) => Value::Derived(tax_amounts(at(path)?)?.into()),
            Source::Parent => Value::Text(parent?),
            Source::False => Value::Derived("false".into()),
        })
    })
}

fn keys(path: &[String]) -> impl Iterator<Item = &str> {
    path.iter().map(String::as_str)
}

/// The value in each element of a list; `None` for an element without one.
fn values<'a>(
    each: &Each,
    at: &impl Fn(&[String]) -> Option<&'a str>,
) -> Option<impl Iterator<Item = Option<&'a str>>> {
    let list = at(&each.list)?;
    let item = each.item.clone();
    Some(elements(list).map(move |element| {
        let found = match item.as_slice() {
            // An expanded reference counts as its id.
            [] if element.starts_with('{') => get(element, "id"),
            path => get_path(element, keys(path)),
        };
        found.filter(|raw| !is_null(raw))
    }))
}

/// Taxes in the form used up to API version 2025-03-31.basil, which calls them `tax_amounts` and
/// `total_tax_amounts` (FACTS 10).
fn tax_amounts(taxes: &str) -> Option<String> {
    let one = |tax: &str| {
        let behavior = super::scan::string(get(tax, "tax_behavior")?)?;
        let rate = get(tax, "tax_rate_details").and_then(|details| get(details, "tax_rate"));
        let field = |name| get(tax, name).unwrap_or("null");
        Some(format!(
            r#"{{"amount":{},"inclusive":{},"tax_rate":{},"taxability_reason":{},"taxable_amount":{}}}"#,
            field("amount"),
            behavior == "inclusive",
            rate.unwrap_or("null"),
            field("taxability_reason"),
            field("taxable_amount"),
        ))
    };
    let taxes: Vec<String> = elements(taxes).map(one).collect::<Option<_>>()?;
    Some(format!("[{}]", taxes.join(",")))
}

/// The value that all elements have in common. `None` if Stripe has cut off the list.
fn only<'a>(each: &Each, at: &impl Fn(&[String]) -> Option<&'a str>) -> Option<&'a str> {
    if let Some((_, list)) = each.list.split_last()
        && let Some(list) = at(list)
        && get(list, "has_more") == Some("true")
    {
        return None;
    }
    let mut values = values(each, at)?;
    let first = values.next()??;
    values.all(|other| other == Some(first)).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find_text(sources: &[&str], object: &str) -> Option<String> {
        let sources: Vec<_> = sources.iter().map(|s| Source::parse(s).expect("source")).collect();
        find(&sources, |key| get(object, key), Some("par_1")).map(|value| match value {
            Value::Own(raw) => format!("own {raw}"),
            Value::Derived(raw) => raw.into_owned(),
            Value::Text(text) => format!("text {text}"),
        })
    }

    #[test]
    fn the_first_value_that_is_not_null_wins() {
        let sources = ["subscription", "parent.subscription_details.subscription"];
        let old = r#"{"subscription":"sub_1"}"#;
        let new =
            r#"{"subscription":null,"parent":{"subscription_details":{"subscription":"sub_2"}}}"#;
        assert_eq!(find_text(&sources, old).as_deref(), Some("own \"sub_1\""));
        assert_eq!(find_text(&sources, new).as_deref(), Some("\"sub_2\""));
        assert_eq!(find_text(&sources, r#"{"parent":null}"#), None);
    }

    #[test]
    fn functions() {
        let paid = ["paid", "equals(status, paid)"];
        assert_eq!(find_text(&paid, r#"{"status":"paid"}"#).as_deref(), Some("true"));
        assert_eq!(find_text(&paid, r#"{"status":"open"}"#).as_deref(), Some("false"));
        assert_eq!(find_text(&paid, r#"{"status":null}"#), None);
        let tax = ["sum(t[].amount)"];
        assert_eq!(
            find_text(&tax, r#"{"t":[{"amount":5.0},{"amount":-2}]}"#).as_deref(),
            Some("3")
        );
        assert_eq!(find_text(&tax, r#"{"t":[]}"#).as_deref(), Some("0"));
        assert_eq!(find_text(&tax, r#"{"t":null}"#), None);
        assert_eq!(
            find_text(&["first(d[])"], r#"{"d":["di_1","di_2"]}"#).as_deref(),
            Some("\"di_1\"")
        );
        assert_eq!(find_text(&["first(d[])"], r#"{"d":[]}"#), None);
        assert_eq!(
            find_text(&["ids(d[])"], r#"{"d":["a",{"id":"b"}]}"#).as_deref(),
            Some(r#"["a","b"]"#)
        );
        let taxes = r#"{"t":[{"amount":5,"tax_behavior":"inclusive","taxability_reason":"standard_rated",
            "tax_rate_details":{"tax_rate":"txr_1"},"taxable_amount":50,"type":"tax_rate_details"}]}"#;
        let old = r#"[{"amount":5,"inclusive":true,"tax_rate":"txr_1","taxability_reason":"standard_rated","taxable_amount":50}]"#;
        assert_eq!(find_text(&["tax_amounts(t)"], taxes).as_deref(), Some(old));
        assert_eq!(find_text(&["tax_amounts(t)"], r#"{"t":[]}"#).as_deref(), Some("[]"));
        assert_eq!(find_text(&["tax_amounts(t)"], r#"{"t":[7]}"#), None);
        assert_eq!(find_text(&["parent()"], "{}").as_deref(), Some("text par_1"));
        assert_eq!(find_text(&["x", "false()"], "{}").as_deref(), Some("false"));
    }

    #[test]
    fn the_only_source_requires_equal_values_and_a_complete_list() {
        let only = ["only(items.data[].end)"];
        let equal = r#"{"items":{"has_more":false,"data":[{"end":7},{"end":7}]}}"#;
        assert_eq!(find_text(&only, equal).as_deref(), Some("7"));
        for different in [
            r#"{"items":{"has_more":false,"data":[{"end":7},{"end":8}]}}"#,
            r#"{"items":{"has_more":false,"data":[{"end":7},{}]}}"#,
            r#"{"items":{"has_more":true,"data":[{"end":7}]}}"#,
            r#"{"items":{"has_more":false,"data":[]}}"#,
        ] {
            assert_eq!(find_text(&only, different), None, "{different}");
        }
    }
}
