//! Conditions for an object to be listed: the filters of the request, and Stripe's rules for hidden
//! objects.

use std::ops::Range;

use serde_json::Value;

use crate::catalog::{Kind, catalog};
use crate::collection::{FIRST_INSERTED_INDEX, Key};
use crate::seed::mix2;
use crate::view::{ObjectSeed, View};

/// A condition on a property, which can be inside another property.
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    pub(crate) path: Vec<String>,
    pub(crate) test: Test,
    /// The property and the object that it must refer to. The list can then skip objects that
    /// cannot refer to it.
    target: Option<(String, Kind, u64)>,
}

/// A condition on the JSON text of a property.
#[derive(Clone, Debug)]
pub(crate) enum Test {
    /// The text is one of these.
    In(Vec<String>),
    /// The text is none of these, or the property is absent.
    NotIn(Vec<String>),
    /// The property is null or absent.
    Empty,
    /// The text is an integer in this inclusive range.
    Between(i64, i64),
    /// The text is a string that matches one of these patterns; `*` matches anything.
    Like(Vec<String>),
    /// The text contains this text.
    Contains(String),
    /// The object was created long enough before `now` to have appeared in its list, which takes a
    /// random part of `lag` seconds.
    Appeared { seed: u64, lag: u32, now: i64 },
    /// The object is not a price that was created inline, as part of another object.
    NotInline,
}

impl Filter {
    pub(crate) fn new(path: &str, test: Test) -> Self {
        Self { path: path.split('.').map(ToOwned::to_owned).collect(), test, target: None }
    }

    /// Requires that the property is a string with this content.
    pub(crate) fn text(path: &str, text: &str) -> Self {
        let mut quoted = String::new();
        crate::json::string(&mut quoted, text);
        Self::new(path, Test::In(vec![quoted]))
    }

    /// Requires that the property contains the id of the object `parent`.
    pub(crate) fn refers(view: &View<'_>, property: &str, kind: Kind, parent: Key) -> Self {
        let mut filter = Self::text(property, &view.id(parent));
        filter.narrow_to(property, (kind, parent.index));
        filter
    }

    /// Sets the object that `property` must refer to.
    pub(crate) fn narrow_to(&mut self, property: &str, target: (Kind, u64)) {
        self.target = Some((property.to_owned(), target.0, target.1));
    }

    /// Returns a range of indexes of a top-level collection. No computed object outside it passes.
    pub(crate) fn range(&self, view: &View<'_>, kind: Kind) -> Option<Range<u64>> {
        let (property, target, index) = self.target.as_ref()?;
        view.account.relations.referring(kind, property, (*target, *index))
    }

    /// Whether the object passes.
    pub(crate) fn accepts(&self, view: &View<'_>, key: Key) -> bool {
        if matches!(self.test, Test::NotInline) {
            return view.changes.inserted(key).is_some()
                || !price_is_inline(&view.object_seed(key));
        }
        if let Test::Appeared { seed, lag, now } = self.test {
            let delay = mix2(seed ^ 0x1a7e, key.index) % (u64::from(lag) + 1);
            return view.sort_key(key).created + delay as i64 <= now;
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
            Test::NotInline | Test::Appeared { .. } => true,
        }
    }
}

/// Whether a price was created inline, as part of another object. Such prices can be retrieved, but
/// no list contains them. <https://github.com/stripe/stripe-python/issues/1724>
fn price_is_inline(seed: &ObjectSeed) -> bool {
    seed.key.index < FIRST_INSERTED_INDEX && seed.draw(10).is_multiple_of(40)
}

/// Filters out the objects that a list does not contain, whatever its parameters are.
pub(crate) fn never_listed(kind: Kind) -> Vec<Filter> {
    match catalog().name(kind) {
        "price" => vec![Filter::new("id", Test::NotInline)],
        "review" => vec![Filter::new("open", Test::In(vec!["true".to_owned()]))],
        _ => Vec::new(),
    }
}

/// Filters out the objects that a list hides unless a parameter selects them. `is_given` returns
/// whether the request has a parameter.
/// <https://docs.stripe.com/api/subscriptions/list>, <https://docs.stripe.com/api/prices/list>
pub(crate) fn hidden_by_default(kind: Kind, is_given: &dyn Fn(&str) -> bool) -> Vec<Filter> {
    let without_test_clock = |filters: &mut Vec<Filter>| {
        if !is_given("test_clock") && !is_given("customer") {
            filters.push(Filter::new("test_clock", Test::Empty));
        }
    };
    let mut filters = never_listed(kind);
    match catalog().name(kind) {
        "subscription" => {
            if !is_given("status") {
                filters.push(Filter::new("status", Test::NotIn(vec!["\"canceled\"".to_owned()])));
            }
            without_test_clock(&mut filters);
        }
        "customer" | "quote" | "subscription_schedule" => without_test_clock(&mut filters),
        "price" if !is_given("active") => {
            filters.push(Filter::new("active", Test::In(vec!["true".to_owned()])))
        }
        "payment_method" if !is_given("type") => {
            filters.push(Filter::new("type", Test::NotIn(vec!["\"custom\"".to_owned()])));
        }
        _ => {}
    }
    filters
}
