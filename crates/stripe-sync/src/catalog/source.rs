//! The source of a column's value in an object: a path, or one of a few named functions.

use serde::{Deserialize, Deserializer, de};

/// One source of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// `a.b.c`
    Path(Vec<String>),
    /// `equals(path, text)`: true or false when the path holds a string.
    Equals(Vec<String>, String),
    /// `sum(path[].x)`: the sum of integers.
    Sum(Each),
    /// `first(path[].x)`: the first element's value.
    First(Each),
    /// `only(path[].x)`: the value that all elements have in common.
    Only(Each),
    /// `ids(path[])`: the ids of the elements as a JSON array.
    Ids(Each),
    /// `tax_amounts(path)`: the elements of `total_taxes` in the form of `total_tax_amounts`.
    TaxAmounts(Vec<String>),
    /// `parent()`: the id of the object whose nested list contains this one.
    Parent,
    /// `false()`
    False,
}

/// `list[].item`: a value in each element of an array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Each {
    pub(crate) list: Vec<String>,
    pub(crate) item: Vec<String>,
}

impl Source {
    /// Parses the notation of the overlay.
    pub(crate) fn parse(text: &str) -> Option<Source> {
        let Some((name, rest)) = text.split_once('(') else {
            return Some(Source::Path(path(text)?));
        };
        let argument = rest.strip_suffix(')')?.trim();
        match name {
            "equals" => {
                let (at, value) = argument.split_once(',')?;
                Some(Source::Equals(path(at.trim())?, value.trim().to_owned()))
            }
            "sum" => Each::parse(argument).map(Source::Sum),
            "first" => Each::parse(argument).map(Source::First),
            "only" => Each::parse(argument).map(Source::Only),
            "ids" => Each::parse(argument).map(Source::Ids),
            "tax_amounts" => path(argument).map(Source::TaxAmounts),
            "parent" if argument.is_empty() => Some(Source::Parent),
            "false" if argument.is_empty() => Some(Source::False),
            _ => None,
        }
    }
}

impl Source {
    /// The object's own property that the value is in, if it is in one.
    pub(crate) fn property(&self) -> Option<&str> {
        match self {
            Source::Path(path) | Source::Equals(path, _) | Source::TaxAmounts(path) => path.first(),
            Source::Sum(each) | Source::First(each) | Source::Only(each) | Source::Ids(each) => {
                each.list.first()
            }
            Source::Parent | Source::False => None,
        }
        .map(String::as_str)
    }
}

impl Each {
    fn parse(text: &str) -> Option<Each> {
        let (list, item) = text.split_once("[]")?;
        let item = match item.strip_prefix('.') {
            Some(item) => path(item)?,
            None if item.is_empty() => Vec::new(),
            None => return None,
        };
        Some(Each { list: path(list)?, item })
    }
}

fn path(text: &str) -> Option<Vec<String>> {
    let steps: Vec<String> = text.split('.').map(str::to_owned).collect();
    let plain =
        |s: &String| !s.is_empty() && s.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    steps.iter().all(plain).then_some(steps)
}

impl<'de> Deserialize<'de> for Source {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Source, D::Error> {
        let text = String::deserialize(deserializer)?;
        Source::parse(&text).ok_or_else(|| de::Error::custom(format!("no such source: {text}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_notation_is_parsed_and_others_are_errors() {
        let s = |t: &str| Source::parse(t);
        let p = |t: &str| t.split('.').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(s("a.b"), Some(Source::Path(p("a.b"))));
        assert_eq!(s("equals(status, paid)"), Some(Source::Equals(p("status"), "paid".into())));
        let each = Each { list: p("items.data"), item: p("plan.id") };
        assert_eq!(s("only(items.data[].plan.id)"), Some(Source::Only(each)));
        let first = Each { list: p("discounts"), item: vec![] };
        assert_eq!(s("first(discounts[])"), Some(Source::First(first)));
        assert_eq!(s("tax_amounts(a.b)"), Some(Source::TaxAmounts(p("a.b"))));
        assert_eq!(s("parent()"), Some(Source::Parent));
        for wrong in ["", "a..b", "sum(a)", "only(a[]b)", "max(a[])", "parent(x)", "a b"] {
            assert_eq!(s(wrong), None, "{wrong}");
        }
    }
}
