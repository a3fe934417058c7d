//! Turns a request into a run: its streams, its bounds, and its identity. Pure.

use super::range::Range;
use crate::account::AccountId;
use crate::catalog::{Catalog, Table};
use crate::order::Stamp;
use crate::postgres::{NewRun, PlannedStream};

/// Events are applied from this long before the run, because pages may show a state that is a
/// little older than their stamp (FACTS 5).
pub(crate) const EVENT_OVERLAP: i64 = 300;

/// What to copy.
#[derive(Debug, Clone, Default)]
pub struct BackfillRequest {
    /// Objects by any of their names; empty or `all` for every stream.
    pub objects: Vec<String>,
    /// Objects by any of their names; empty or `all` for every stream.
    pub range: Range,
    /// Start over instead of resuming an unfinished run of the same request.
    pub fresh: bool,
}

impl BackfillRequest {
    /// Checks the names without sending a request.
    ///
    /// # Errors
    /// The name of the unknown object, and the known ones.
    pub fn check(&self) -> Result<(), UnknownObject> {
        streams(&self.objects).map(|_| ())
    }
}

/// A name that is not a stream.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown object {name:?}; the objects are: all, {known}")]
pub struct UnknownObject {
    name: String,
    known: String,
}

/// The streams of a request, each once, in the catalog's order.
pub(crate) fn streams(objects: &[String]) -> Result<Vec<&'static Table>, UnknownObject> {
    let catalog = Catalog::get();
    let names: Vec<&str> = objects.iter().flat_map(|o| o.split(',')).map(str::trim).collect();
    if names.is_empty() || names.iter().any(|n| n.eq_ignore_ascii_case("all")) {
        // Another name beside `all` still has to exist.
        for name in names.iter().filter(|n| !n.eq_ignore_ascii_case("all")) {
            find(name)?;
        }
        return Ok(catalog.streams().collect());
    }
    let mut wanted: Vec<&str> = Vec::new();
    for name in names {
        wanted.push(&find(name)?.name);
    }
    Ok(catalog.streams().filter(|t| wanted.contains(&t.name.as_str())).collect())
}

fn find(name: &str) -> Result<&'static Table, UnknownObject> {
    let catalog = Catalog::get();
    catalog.stream_by_name(name).ok_or_else(|| UnknownObject {
        name: name.to_owned(),
        known: catalog.streams().map(|t| t.object.as_str()).collect::<Vec<_>>().join(", "),
    })
}

/// The run that a request asks for.
pub(super) fn run(
    request: &BackfillRequest,
    streams: &[&'static Table],
    account: &AccountId,
    api_version: &str,
    now: Stamp,
) -> NewRun {
    let catalog = Catalog::get();
    let all = streams.len() == catalog.streams().count();
    let objects = match all {
        true => "all".to_owned(),
        false => streams.iter().map(|t| t.object.as_str()).collect::<Vec<_>>().join(", "),
    };
    let range = request.range.typed();
    // Pages of another API version have other shapes and cannot continue this run.
    let version = match api_version == catalog.api_version {
        true => catalog.version(),
        false => format!("{} as {api_version}", catalog.version()),
    };
    let identity = format!("{account} | {objects} | {range} | {version}");
    let planned = streams
        .iter()
        .map(|table| {
            let filters = table.list.as_ref().is_some_and(|list| list.created.is_some());
            let unfiltered = !filters && !request.range.is_all();
            PlannedStream {
                table: table.name.clone(),
                unfiltered,
                // A stream that is named is always read. With `all` and many small ranges, it is
                // read only once a day.
                daily: unfiltered && all,
            }
        })
        .collect();
    NewRun {
        account: account.to_string(),
        identity,
        objects,
        range,
        since: request.range.since(),
        until: request.range.until(),
        catalog_version: version,
        event_cursor: now.unix_seconds() - EVENT_OVERLAP,
        streams: planned,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(objects: &[&str]) -> Result<Vec<&'static str>, UnknownObject> {
        let objects: Vec<String> = objects.iter().map(|o| (*o).to_owned()).collect();
        Ok(streams(&objects)?.iter().map(|t| t.name.as_str()).collect())
    }

    #[test]
    fn each_stream_is_selected_once() {
        assert_eq!(
            names(&["customer", "customers", "invoice"]).expect("known"),
            ["customers", "invoices"]
        );
        assert_eq!(names(&["customer,invoice"]).expect("known"), ["customers", "invoices"]);
        assert_eq!(names(&[]).expect("all").len(), 74);
        assert_eq!(names(&["all"]).expect("all").len(), 74);
    }

    #[test]
    fn unknown_objects_are_named_with_the_known_ones() {
        let error = names(&["customer", "unicorn"]).expect_err("unknown").to_string();
        assert!(error.contains("\"unicorn\"") && error.contains("payment_intent"), "{error}");
        assert!(names(&["all", "unicorn"]).is_err());
        assert!(names(&[""]).is_err());
    }

    #[test]
    fn the_arguments_determine_the_identity() {
        let account = AccountId::parse("acct_1").expect("account");
        let run = |objects: &[&str], range: Range| {
            let objects: Vec<String> = objects.iter().map(|o| (*o).to_owned()).collect();
            let request = BackfillRequest { objects, range, fresh: false };
            let streams = streams(&request.objects).expect("streams");
            let version = &Catalog::get().api_version;
            super::run(&request, &streams, &account, version, Stamp::from_micros(1_000_000_000))
        };
        let early = Range::parse(Some("30d"), None, 1_700_000_000).expect("range");
        let late = Range::parse(Some("30d"), None, 1_700_000_999).expect("range");
        assert_eq!(run(&[], early.clone()).identity, run(&["all"], late).identity);
        assert_ne!(run(&[], early.clone()).identity, run(&[], Range::all()).identity);
        assert_ne!(run(&[], early.clone()).identity, run(&["customer"], early.clone()).identity);
        let ranged = run(&["all"], early.clone());
        let methods = ranged.streams.iter().find(|s| s.table == "payment_methods").expect("stream");
        assert!(methods.unfiltered && methods.daily);
        let named = run(&["payment_method"], early);
        assert!(named.streams[0].unfiltered && !named.streams[0].daily);
    }
}
