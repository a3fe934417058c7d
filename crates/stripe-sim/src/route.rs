//! Which operation a path names.

use std::sync::OnceLock;

use crate::catalog::{Kind, catalog};
use crate::collection::{Source, collections};

/// An operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// A list of the catalog, by its number.
    List(usize),
    /// One object of that list.
    Item(usize),
    /// The old path of a charge's refunds, which its embedded list still names.
    RefundsOfCharge,
    /// The account of the key.
    OwnAccount,
    /// An object of which an account has exactly one.
    Single(Kind),
}

/// An operation with the values of the path's parameters, decoded.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) operation: Operation,
    pub(crate) params: Vec<String>,
    /// The path with its parameters' names: what Stripe counts as one endpoint.
    pub(crate) endpoint: &'static str,
}

struct Pattern {
    segments: Vec<String>,
    text: String,
    operation: Operation,
}

/// Finds the operation of a path without its query.
pub(crate) fn route(path: &str) -> Option<Route> {
    let segments: Vec<&str> = path.trim_end_matches('/').split('/').collect();
    patterns().iter().find_map(|pattern| {
        if pattern.segments.len() != segments.len() {
            return None;
        }
        let mut params = Vec::new();
        for (wanted, given) in pattern.segments.iter().zip(&segments) {
            if wanted.starts_with('{') {
                params.push(decode(given).filter(|value| !value.is_empty())?);
            } else if wanted != given {
                return None;
            }
        }
        Some(Route { operation: pattern.operation.clone(), params, endpoint: &pattern.text })
    })
}

/// The object type whose permission an operation needs.
pub(crate) fn kind_of(operation: &Operation) -> Kind {
    let account = || catalog().kind("account").unwrap_or_default();
    match operation {
        Operation::List(list) | Operation::Item(list) => match &collections().sources[*list] {
            Source::Rooted(kind) | Source::Referring { kind, .. } => *kind,
            Source::Children { collection, .. } => collections().get(*collection).kinds[0],
        },
        Operation::RefundsOfCharge => catalog().kind("refund").unwrap_or_else(account),
        Operation::OwnAccount => account(),
        Operation::Single(kind) => *kind,
    }
}

fn patterns() -> &'static [Pattern] {
    static PATTERNS: OnceLock<Vec<Pattern>> = OnceLock::new();
    PATTERNS.get_or_init(|| {
        let catalog = catalog();
        let shape = |path: &str| -> Vec<String> {
            let segment = |s: &str| if s.starts_with('{') { "{}".to_owned() } else { s.to_owned() };
            path.split('/').map(segment).collect()
        };
        let objects = (0..catalog.len()).flat_map(|kind| catalog.object(kind).retrieve.iter());
        let retrievable: Vec<Vec<String>> = objects
            .chain(catalog.lists.iter().filter_map(|l| l.retrieve.as_ref()))
            .map(|p| shape(p))
            .collect();
        let mut patterns = Vec::new();
        let mut add = |path: String, operation| {
            patterns.push(Pattern { segments: shape(&path), text: path, operation });
        };
        for (number, list) in catalog.lists.iter().enumerate() {
            add(list.path.clone(), Operation::List(number));
            let item = format!("{}/{{id}}", list.path);
            if retrievable.contains(&shape(&item)) {
                add(item, Operation::Item(number));
            }
        }
        add("/v1/charges/{charge}/refunds".to_owned(), Operation::RefundsOfCharge);
        add("/v1/account".to_owned(), Operation::OwnAccount);
        for (path, object) in [("/v1/balance", "balance"), ("/v1/tax/settings", "tax.settings")] {
            if let Some(kind) = catalog.kind(object) {
                add(path.to_owned(), Operation::Single(kind));
            }
        }
        // Literal segments win over parameters: /v1/credit_notes/preview/lines.
        patterns.sort_by_key(|p| p.segments.iter().filter(|s| s.starts_with('{')).count());
        patterns
    })
}

/// Decodes percent escapes; `None` if the result is not UTF-8.
pub(crate) fn decode(text: &str) -> Option<String> {
    if !text.contains('%') {
        return Some(text.to_owned());
    }
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = (bytes[at] == b'%').then(|| text.get(at + 1..at + 3)).flatten();
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_and_retrieve_path_of_the_catalog_has_a_route() {
        for (number, list) in catalog().lists.iter().enumerate() {
            let path = list.path.replace(['{', '}'], "");
            assert_eq!(route(&path).map(|r| r.operation), Some(Operation::List(number)), "{path}");
            if let Some(retrieve) = &list.retrieve {
                let found = route(&retrieve.replace(['{', '}'], "")).map(|r| r.operation);
                assert!(matches!(found, Some(Operation::Item(_))), "{retrieve}: {found:?}");
            }
        }
    }

    #[test]
    fn parameters_are_one_encoded_segment() {
        let found = route("/v1/products/50%25%2Foff%3F%20no%2014").unwrap();
        assert_eq!(found.params, ["50%/off? no 14"]);
        assert_eq!(route("/v1/products/a/b"), None);
        assert_eq!(route("/v1/nothing"), None);
        assert_eq!(route("/v1/credit_notes/preview/lines").unwrap().params, [""; 0]);
    }
}
