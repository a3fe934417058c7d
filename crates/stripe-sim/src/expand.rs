//! Which properties a request wants expanded, as a tree of names.

use std::collections::BTreeMap;

/// The expansions below one object. Empty: nothing is expanded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Expand {
    children: BTreeMap<String, Expand>,
}

/// Nothing is expanded.
pub(crate) static NOTHING: Expand = Expand { children: BTreeMap::new() };

/// Stripe refuses deeper paths, counting every name with a leading `data`.
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

    /// What is expanded below a property, if the property itself is.
    pub(crate) fn get(&self, name: &str) -> Option<&Expand> {
        if self.children.is_empty() { None } else { self.children.get(name) }
    }

    /// What is expanded below a property that may be an object anyway.
    pub(crate) fn below(&self, name: &str) -> &Expand {
        self.get(name).unwrap_or(&NOTHING)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.children.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Expand)> {
        self.children.iter().map(|(name, below)| (name.as_str(), below))
    }
}
