//! Tests that an object must pass to be shown: the request's filters and the rows that Stripe hides.

use std::ops::Range;

use serde_json::Value;

use crate::catalog::{Kind, catalog};
use crate::collection::Key;
use crate::recipe::price_is_inline;
use crate::view::View;

/// A test on one property, which may lie inside another.
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    pub(crate) path: Vec<String>,
    pub(crate) test: Test,
    /// The object whose id is asked for: lets the list skip what cannot refer to it.
    target: Option<(String, Kind, u64)>,
}

/// What is asked of the property's JSON text.
#[derive(Clone, Debug)]
pub(crate) enum Test {
    /// Is one of these.
    In(Vec<String>),
    /// Is none of these; an absent property passes.
    NotIn(Vec<String>),
    /// Is null or absent.
    Empty,
    /// Is an integer between these, both inclusive.
    Between(i64, i64),
    /// Is a text that one of these matches; `*` stands for any rest.
    Like(Vec<String>),
    /// Contains this text somewhere.
    Contains(String),
    /// Not a price that was made inside another object.
    NotInline,
}

impl Filter {
    pub(crate) fn new(path: &str, test: Test) -> Self {
        Self { path: path.split('.').map(ToOwned::to_owned).collect(), test, target: None }
    }

    /// The property equals a text.
    pub(crate) fn text(path: &str, text: &str) -> Self {
        let mut quoted = String::new();
        crate::json::string(&mut quoted, text);
        Self::new(path, Test::In(vec![quoted]))
    }

    /// The property names the object `parent`.
    pub(crate) fn refers(view: &View<'_>, property: &str, kind: Kind, parent: Key) -> Self {
        let mut filter = Self::text(property, &view.id(parent));
        filter.narrow_to(property, (kind, parent.index));
        filter
    }

    /// Says which object the id belongs to and by which property it is referred to.
    pub(crate) fn narrow_to(&mut self, property: &str, target: (Kind, u64)) {
        self.target = Some((property.to_owned(), target.0, target.1));
    }

    /// Outside of this range of a rooted collection, no computed object passes.
    pub(crate) fn range(&self, view: &View<'_>, kind: Kind) -> Option<Range<u64>> {
        let (property, target, index) = self.target.as_ref()?;
        view.account.relations.referring(kind, property, (*target, *index))
    }

    /// Whether the object passes.
    pub(crate) fn accepts(&self, view: &View<'_>, key: Key) -> bool {
        if matches!(self.test, Test::NotInline) {
            return view.overlay.added(key).is_some() || !price_is_inline(&view.row(key));
        }
        let mut text = String::new();
        let found = view.property(key, &self.path[0], &mut text);
        if !found {
            return matches!(self.test, Test::NotIn(_) | Test::Empty);
        }
        if self.path.len() == 1 {
            return self.test.accepts(&text);
        }
        let value: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
        let inner = self.path[1..].iter().try_fold(&value, |value, name| value.get(name));
        match inner {
            Some(inner) => self.test.accepts(&inner.to_string()),
            None => matches!(self.test, Test::NotIn(_) | Test::Empty),
        }
    }
}

impl Test {
    fn accepts(&self, json: &str) -> bool {
        match self {
            Test::In(texts) => texts.iter().any(|t| t == json),
            Test::Empty => json == "null",
            Test::NotIn(texts) => texts.iter().all(|t| t != json),
            Test::Between(low, high) => {
                json.parse().is_ok_and(|n: i64| (*low..=*high).contains(&n))
            }
            Test::Like(patterns) => {
                let text = json.trim_matches('"');
                patterns.iter().any(|p| match p.split_once('*') {
                    Some((start, end)) => {
                        text.len() >= start.len() + end.len()
                            && text.starts_with(start)
                            && text.ends_with(end)
                    }
                    None => p == text,
                })
            }
            Test::Contains(text) => json.contains(text.as_str()),
            Test::NotInline => true,
        }
    }
}

/// Rows that no parameter brings out.
pub(crate) fn never_listed(kind: Kind) -> Vec<Filter> {
    match catalog().name(kind) {
        "price" => vec![Filter::new("id", Test::NotInline)],
        "review" => vec![Filter::new("open", Test::In(vec!["true".to_owned()]))],
        _ => Vec::new(),
    }
}

/// Rows that a list hides unless a parameter asks for them.
/// <https://docs.stripe.com/api/subscriptions/list>, <https://docs.stripe.com/api/prices/list>
pub(crate) fn hidden_by_default(kind: Kind, given: &dyn Fn(&str) -> bool) -> Vec<Filter> {
    let clockless = |filters: &mut Vec<Filter>| {
        if !given("test_clock") && !given("customer") {
            filters.push(Filter::new("test_clock", Test::Empty));
        }
    };
    let mut filters = never_listed(kind);
    match catalog().name(kind) {
        "subscription" => {
            if !given("status") {
                filters.push(Filter::new("status", Test::NotIn(vec!["\"canceled\"".to_owned()])));
            }
            clockless(&mut filters);
        }
        "customer" | "quote" | "subscription_schedule" => clockless(&mut filters),
        "price" if !given("active") => {
            filters.push(Filter::new("active", Test::In(vec!["true".to_owned()])))
        }
        "payment_method" if !given("type") => {
            filters.push(Filter::new("type", Test::NotIn(vec!["\"custom\"".to_owned()])));
        }
        _ => {}
    }
    filters
}
