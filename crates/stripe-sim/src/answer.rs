//! Computes the response of the API to a read request: the body, or an error.

use crate::account::Account;
use crate::api_error::ApiError;
use crate::catalog::{Kind, catalog};
use crate::collection::{Key, Source, collections};
use crate::expand::{Expand, NO_EXPANSION};
use crate::filter::{Filter, Test, hidden_by_default};
use crate::json;
use crate::list::{Cursor, ListQuery, Page, read_page};
use crate::params::{self, Pairs};
use crate::route::{Operation, Route};
use crate::view::View;

/// The options of the simulator that affect lists.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ListOptions {
    /// Accepts a cursor that names a deleted object.
    pub(crate) deleted_cursor_accepted: bool,
    /// Seed by which objects of the same second are reordered; `None` keeps their order.
    pub(crate) shuffle: Option<u64>,
    /// A cursor passes over its whole second.
    pub(crate) cursor_skips_second: bool,
    /// The maximum delay, in seconds, after which events appear, and the seed of the delays.
    pub(crate) event_lag: (u32, u64),
}

/// Answers a read request.
pub(crate) fn answer(
    account: &Account,
    options: &ListOptions,
    route: &Route,
    path: &str,
    query: &str,
) -> Result<String, ApiError> {
    let pairs = params::pairs(query)?;
    account.read(|view| match &route.operation {
        Operation::List(number) => list(account, view, options, *number, route, path, &pairs),
        Operation::RefundsOfCharge => refunds_of_charge(view, route, path, &pairs),
        Operation::Retrieve(number) => retrieve(account, view, *number, route, &pairs),
        Operation::OwnAccount => {
            params::check_only_expand(&pairs)?;
            Ok(own_account(view))
        }
        Operation::Singleton(kind) => {
            params::check_only_expand(&pairs)?;
            let mut out = String::new();
            view.write_base(Key { collection: *kind, index: 0, sub: 0 }, &NO_EXPANSION, &mut out);
            Ok(out)
        }
    })
}

fn list(
    account: &Account,
    view: &View<'_>,
    options: &ListOptions,
    number: usize,
    route: &Route,
    path: &str,
    pairs: &Pairs,
) -> Result<String, ApiError> {
    let op = &catalog().lists[number];
    let source = &collections().sources[number];
    params::check_list(pairs, op)?;
    if op.path == "/v1/billing/credit_balance_transactions"
        && !params::is_given(pairs, "customer")
        && !params::is_given(pairs, "credit_grant")
    {
        return Err(ApiError::new(
            400,
            "You must pass either a customer or a credit grant to list credit balance transactions.",
        ));
    }
    let mut list_query = ListQuery {
        shuffle: options.shuffle,
        cursor_skips_second: options.cursor_skips_second,
        ..ListQuery::all(source.clone(), 0)
    };
    let mut parent_param = "";
    let kind = match source {
        Source::TopLevel(kind) => *kind,
        Source::Children { collection, parent, in_path, param } => {
            let id =
                if *in_path { Some(route.params[0].as_str()) } else { params::value(pairs, param) };
            list_query.parent =
                existing_parent(view, *parent, id.unwrap_or_default(), param)?.index;
            parent_param = param;
            collections().get(*collection).kinds[0]
        }
        Source::Referring { kind, property, parent } => {
            let key = existing_parent(view, *parent, &route.params[0], property)?;
            list_query.filters.push(Filter::refers(view, property, *parent, key));
            *kind
        }
    };
    if let Some(tax_ids) = tax_ids_of_customer(view, op.path.as_str(), pairs)? {
        (list_query.source, list_query.parent) = tax_ids;
    }
    if matches!(source, Source::TopLevel(_) | Source::Referring { .. }) {
        list_query.filters.extend(hidden_by_default(kind, &|name| params::is_given(pairs, name)));
    }
    if catalog().name(kind) == "event" {
        list_query.created.0 = account.oldest_event();
        let (lag, seed) = options.event_lag;
        if lag > 0 {
            let now = account.now();
            list_query.filters.push(Filter::new("created", Test::Appeared { seed, lag, now }));
        }
    }
    params::add_filters(view, pairs, op, kind, parent_param, &mut list_query)?;
    let expand = params::expand(pairs, true, kind)?;
    list_query.limit = if op.paged { params::limit(pairs)? } else { usize::MAX - 1 };
    list_query.cursor = cursor(view, options, pairs, &list_query, kind)?;
    let mut url = path.to_owned();
    if let Source::Children { in_path: false, param, .. } = source {
        url = format!("{path}?{param}={}", params::value(pairs, param).unwrap_or_default());
    }
    Ok(write_page(view, &read_page(view, &list_query), &expand, &url))
}

/// `/v1/tax_ids` lists the tax ids of the account, or those of the customer in `owner[customer]`.
/// Returns the source and the parent in the second case.
fn tax_ids_of_customer(
    view: &View<'_>,
    path: &str,
    pairs: &Pairs,
) -> Result<Option<(Source, u64)>, ApiError> {
    let (Some(customer), "/v1/tax_ids") = (params::value(pairs, "owner[customer]"), path) else {
        return Ok(None);
    };
    let Some(parent) = catalog().kind("customer") else { return Ok(None) };
    let key = existing_parent(view, parent, customer, "owner[customer]")?;
    let collection = collections().child(parent, "tax_ids");
    Ok(collection.map(|collection| {
        (
            Source::Children { collection, parent, in_path: false, param: "owner".to_owned() },
            key.index,
        )
    }))
}

fn existing_parent(view: &View<'_>, kind: Kind, id: &str, param: &str) -> Result<Key, ApiError> {
    view.find(kind, id)
        .filter(|key| !view.changes.is_deleted(*key))
        .ok_or_else(|| ApiError::resource_missing(catalog().name(kind), id, param, 404))
}

fn cursor(
    view: &View<'_>,
    options: &ListOptions,
    pairs: &Pairs,
    list_query: &ListQuery,
    kind: Kind,
) -> Result<Cursor, ApiError> {
    let (after, before) =
        (params::value(pairs, "starting_after"), params::value(pairs, "ending_before"));
    let (id, param) = match (after, before) {
        (None, None) => return Ok(Cursor::None),
        (Some(_), Some(_)) => {
            return Err(ApiError::new(
                400,
                "You cannot parameterize both `starting_after` and `ending_before`.",
            )
            .param("ending_before"));
        }
        (Some(id), None) => (id, "starting_after"),
        (None, Some(id)) => (id, "ending_before"),
    };
    let key = match &list_query.source {
        Source::Children { collection, .. } => view.find_child(*collection, list_query.parent, id),
        _ => view.find(kind, id).filter(|key| key.collection == kind),
    };
    let valid = key.filter(|key| {
        let created = view.sort_key(*key).created;
        let deleted = view.changes.is_deleted(*key);
        let in_range = (list_query.created.0..=list_query.created.1).contains(&created);
        let accepted = list_query.filters.iter().all(|filter| filter.accepts(view, *key));
        if deleted { options.deleted_cursor_accepted } else { in_range && accepted }
    });
    let key =
        valid.ok_or_else(|| ApiError::resource_missing(catalog().name(kind), id, param, 400))?;
    Ok(if after.is_some() { Cursor::After(key) } else { Cursor::Before(key) })
}

fn refunds_of_charge(
    view: &View<'_>,
    route: &Route,
    path: &str,
    pairs: &Pairs,
) -> Result<String, ApiError> {
    let (Some(charge), Some(kind)) = (catalog().kind("charge"), catalog().kind("refund")) else {
        return Err(ApiError::unrecognized("GET", path));
    };
    let key = existing_parent(view, charge, &route.params[0], "charge")?;
    let source = Source::Referring { kind, property: "charge".to_owned(), parent: charge };
    let mut list_query = ListQuery::all(source, key.index);
    list_query.filters.push(Filter::refers(view, "charge", charge, key));
    list_query.limit = params::limit(pairs)?;
    list_query.cursor = cursor(view, &ListOptions::default(), pairs, &list_query, kind)?;
    Ok(write_page(view, &read_page(view, &list_query), &NO_EXPANSION, path))
}

fn write_page(view: &View<'_>, page: &Page, expand: &Expand, url: &str) -> String {
    let mut out = String::with_capacity(page.keys.len() * 2_048 + 128);
    out.push_str("{\"object\":\"list\",\"data\":[");
    for (i, key) in page.keys.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        view.write_object(*key, expand, &mut out);
    }
    out.push_str("],\"has_more\":");
    json::boolean(&mut out, page.has_more);
    out.push_str(",\"url\":");
    json::string(&mut out, url);
    out.push('}');
    out
}

fn retrieve(
    account: &Account,
    view: &View<'_>,
    number: usize,
    route: &Route,
    pairs: &Pairs,
) -> Result<String, ApiError> {
    params::check_only_expand(pairs)?;
    let id = route.params.last().map(String::as_str).unwrap_or_default();
    if catalog().lists[number].path == "/v1/accounts" && id == view.account.own_account {
        return Ok(own_account(view));
    }
    let (key, kind) = match &collections().sources[number] {
        Source::TopLevel(kind) => (view.find(*kind, id), *kind),
        Source::Children { collection, parent, in_path, param } => {
            let kind = collections().get(*collection).kinds[0];
            if *in_path {
                let parent = existing_parent(view, *parent, &route.params[0], param)?;
                (view.find_child(*collection, parent.index, id), kind)
            } else {
                (view.find(kind, id), kind)
            }
        }
        Source::Referring { kind, property, parent } => {
            let parent_key = existing_parent(view, *parent, &route.params[0], property)?;
            let belongs = Filter::refers(view, property, *parent, parent_key);
            (view.find(*kind, id).filter(|key| belongs.accepts(view, *key)), *kind)
        }
    };
    let not_found = || ApiError::resource_missing(catalog().name(kind), id, "id", 404);
    let key = key.ok_or_else(not_found)?;
    let mut out = String::new();
    if view.changes.is_deleted(key) {
        if !catalog().object(kind).deleted {
            return Err(not_found());
        }
        view.write_deleted(key, &mut out);
        return Ok(out);
    }
    if catalog().name(kind) == "event" && view.sort_key(key).created < account.oldest_event() {
        return Err(not_found());
    }
    view.write_object(key, &params::expand(pairs, false, view.kind(key))?, &mut out);
    Ok(out)
}

fn own_account(view: &View<'_>) -> String {
    let mut out = String::new();
    if let Some(kind) = catalog().kind("account") {
        view.write_base(Key { collection: kind, index: 0, sub: 0 }, &NO_EXPANSION, &mut out);
    }
    let mut value: serde_json::Value =
        serde_json::from_str(&out).expect("generators write valid JSON");
    value["id"] = view.account.own_account.as_str().into();
    value["email"] = "owner@example.com".into();
    // `created` is the time at which an account was connected, so the own account has none.
    if let Some(members) = value.as_object_mut() {
        members.remove("created");
    }
    value.to_string()
}
