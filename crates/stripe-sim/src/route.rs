//! Maps paths to operations.

use std::sync::OnceLock;

use crate::catalog::{Kind, catalog};
use crate::collection::{Source, collections};

/// An operation of the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// Reads a list, by its number in the catalog.
    List(usize),
    /// Retrieves an object of that list.
    Retrieve(usize),
    /// Lists the refunds of a charge. This is the old path, which the embedded list contains.
    RefundsOfCharge,
    /// Retrieves the account that owns the key.
    OwnAccount,
    /// Retrieves an object that exists once per account.
    Singleton(Kind),
}

/// An operation and the decoded parameters of its path.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) operation: Operation,
    pub(crate) params: Vec<String>,
    /// The path with the names of its parameters. Stripe has a rate limit for each such endpoint.
    pub(crate) endpoint: &'static str,
}

struct Pattern {
    segments: Vec<String>,
    text: String,
    operation: Operation,
}

/// Finds the operation of a path. The path has no query.
pub(crate) fn route(path: &str) -> Option<Route> {
    let segments: Vec<&str> = path.trim_end_matches('/').split('/').collect();
    patterns().iter().find_map(|pattern| {
        if pattern.segments.len() != segments.len() {
            return None;
        }
        let mut params = Vec::new();
        for (expected, actual) in pattern.segments.iter().zip(&segments) {
            if expected.starts_with('{') {
                params.push(decode(actual).filter(|value| !value.is_empty())?);
            } else if expected != actual {
                return None;
            }
        }
        Some(Route { operation: pattern.operation.clone(), params, endpoint: &pattern.text })
    })
}

/// The object type for which an operation needs a permission.
pub(crate) fn kind_of(operation: &Operation) -> Kind {
    let account = || catalog().kind("account").unwrap_or_default();
    match operation {
        Operation::List(list) | Operation::Retrieve(list) => match &collections().sources[*list] {
            Source::TopLevel(kind) | Source::Referring { kind, .. } => *kind,
            Source::Children { collection, .. } => collections().get(*collection).kinds[0],
        },
        Operation::RefundsOfCharge => catalog().kind("refund").unwrap_or_else(account),
        Operation::OwnAccount => account(),
        Operation::Singleton(kind) => *kind,
    }
}

fn patterns() -> &'static [Pattern] {
    static PATTERNS: OnceLock<Vec<Pattern>> = OnceLock::new();
    PATTERNS.get_or_init(|| {
        let catalog = catalog();
        let segments = |path: &str| -> Vec<String> {
            let segment = |s: &str| if s.starts_with('{') { "{}".to_owned() } else { s.to_owned() };
            path.split('/').map(segment).collect()
        };
        let objects = (0..catalog.len()).flat_map(|kind| catalog.object(kind).retrieve.iter());
        let retrievable: Vec<Vec<String>> = objects
            .chain(catalog.lists.iter().filter_map(|l| l.retrieve.as_ref()))
            .map(|p| segments(p))
            .collect();
        let mut patterns = Vec::new();
        let mut add = |path: String, operation| {
            patterns.push(Pattern { segments: segments(&path), text: path, operation });
        };
        for (number, list) in catalog.lists.iter().enumerate() {
            add(list.path.clone(), Operation::List(number));
            let item = format!("{}/{{id}}", list.path);
            if retrievable.contains(&segments(&item)) {
                add(item, Operation::Retrieve(number));
            }
        }
        add("/v1/charges/{charge}/refunds".to_owned(), Operation::RefundsOfCharge);
        add("/v1/account".to_owned(), Operation::OwnAccount);
        for (path, object) in [("/v1/balance", "balance"), ("/v1/tax/settings", "tax.settings")] {
            if let Some(kind) = catalog.kind(object) {
                add(path.to_owned(), Operation::Singleton(kind));
            }
        }
        // Literal segments take precedence over parameters, as in /v1/credit_notes/preview/lines.
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
                assert!(matches!(found, Some(Operation::Retrieve(_))), "{retrieve}: {found:?}");
            }
        }
    }

    #[test]
    fn a_path_parameter_is_one_percent_encoded_segment() {
        let found = route("/v1/products/50%25%2Foff%3F%20no%2014").unwrap();
        assert_eq!(found.params, ["50%/off? no 14"]);
        assert_eq!(route("/v1/products/a/b"), None);
        assert_eq!(route("/v1/nothing"), None);
        assert_eq!(route("/v1/credit_notes/preview/lines").unwrap().params, [""; 0]);
    }
}
