//! The properties that a request expands, as a tree of names.

use std::collections::BTreeMap;

/// The expanded properties of one object. If empty, nothing is expanded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Expand {
    children: BTreeMap<String, Expand>,
}

/// Expands nothing.
pub(crate) static NO_EXPANSION: Expand = Expand { children: BTreeMap::new() };

/// The maximum number of names in a path. Stripe rejects longer paths, and counts a leading `data`.
/// <https://docs.stripe.com/expand>
pub(crate) const MAX_DEPTH: usize = 4;

impl Expand {
    /// Adds a path such as `data.customer.default_source`.
    pub(crate) fn add(&mut self, path: &str) {
        let mut node = self;
        for name in path.split('.') {
            node = node.children.entry(name.to_owned()).or_default();
        }
    }

    /// The expansions inside a property, if the property itself is expanded.
    pub(crate) fn get(&self, name: &str) -> Option<&Expand> {
        if self.children.is_empty() { None } else { self.children.get(name) }
    }

    /// The expansions inside a property that is an object even if it is not expanded.
    pub(crate) fn nested(&self, name: &str) -> &Expand {
        self.get(name).unwrap_or(&NO_EXPANSION)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.children.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Expand)> {
        self.children.iter().map(|(name, nested)| (name.as_str(), nested))
    }
}
