//! What the API answers to a request, apart from the network: status and body.

use crate::account::Account;
use crate::catalog::{Kind, catalog};
use crate::collection::{Key, Source, collections};
use crate::expand::{Expand, NOTHING};
use crate::filter::{Filter, hidden_by_default};
use crate::json;
use crate::list::{Ask, Cursor, Page, page};
use crate::params::{self, Pairs};
use crate::route::{Operation, Route};
use crate::sim::Switches;
use crate::view::View;

/// An error as Stripe words it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) status: u16,
    pub(crate) kind: &'static str,
    pub(crate) message: String,
    pub(crate) code: Option<String>,
    pub(crate) param: Option<String>,
}

impl Failure {
    pub(crate) fn new(status: u16, message: &str) -> Self {
        let kind = if status >= 500 { "api_error" } else { "invalid_request_error" };
        Self { status, kind, message: message.to_owned(), code: None, param: None }
    }

    pub(crate) fn code(mut self, code: &str) -> Self {
        self.code = Some(code.to_owned());
        self
    }

    pub(crate) fn param(mut self, param: &str) -> Self {
        self.param = Some(param.to_owned());
        self
    }

    /// The JSON body.
    pub(crate) fn body(&self) -> String {
        let mut out = String::from("{\"error\":{");
        let mut member = |name: &str, text: &str| {
            if !out.ends_with('{') {
                out.push(',');
            }
            json::string(&mut out, name);
            out.push(':');
            json::string(&mut out, text);
        };
        if let Some(code) = &self.code {
            member("code", code);
            member(
                "doc_url",
                &format!("https://stripe.com/docs/error-codes/{}", code.replace('_', "-")),
            );
        }
        member("message", &self.message);
        if let Some(param) = &self.param {
            member("param", param);
        }
        member("type", self.kind);
        out.push_str("}}");
        out
    }
}

/// No route.
pub(crate) fn unrecognized(method: &str, path: &str) -> Failure {
    Failure::new(
        404,
        &format!(
            "Unrecognized request URL ({method}: {path}). Please see https://stripe.com/docs or we can help at https://support.stripe.com/."
        ),
    )
}

fn missing(object: &str, id: &str, param: &str, status: u16) -> Failure {
    Failure::new(status, &format!("No such {object}: '{id}'")).code("resource_missing").param(param)
}

/// Answers a read.
pub(crate) fn answer(
    account: &Account,
    switches: &Switches,
    route: &Route,
    path: &str,
    query: &str,
    stir: Option<u64>,
) -> Result<String, Failure> {
    let pairs = params::pairs(query)?;
    account.read(|view| match &route.operation {
        Operation::List(number) => {
            list(account, view, switches, *number, route, path, &pairs, stir)
        }
        Operation::RefundsOfCharge => refunds(view, route, path, &pairs),
        Operation::Item(number) => item(account, view, *number, route, &pairs),
        Operation::OwnAccount => {
            params::only_expand(&pairs)?;
            Ok(own_account(view))
        }
        Operation::Single(kind) => {
            params::only_expand(&pairs)?;
            let mut out = String::new();
            view.write_base(Key { collection: *kind, index: 0, sub: 0 }, &NOTHING, &mut out);
            Ok(out)
        }
    })
}

#[allow(clippy::too_many_arguments, reason = "one call, from `answer`")]
fn list(
    account: &Account,
    view: &View<'_>,
    switches: &Switches,
    number: usize,
    route: &Route,
    path: &str,
    pairs: &Pairs,
    stir: Option<u64>,
) -> Result<String, Failure> {
    let op = &catalog().lists[number];
    let source = &collections().sources[number];
    params::check(pairs, op)?;
    if op.path == "/v1/billing/credit_balance_transactions"
        && !params::given(pairs, "customer")
        && !params::given(pairs, "credit_grant")
    {
        return Err(Failure::new(
            400,
            "You must pass either a customer or a credit grant to list credit balance transactions.",
        ));
    }
    let mut ask = Ask { stir, ..Ask::whole(source.clone(), 0) };
    let mut skip = "";
    let kind = match source {
        Source::Rooted(kind) => *kind,
        Source::Children { collection, parent, in_path, param } => {
            let id =
                if *in_path { Some(route.params[0].as_str()) } else { params::value(pairs, param) };
            ask.parent = existing_parent(view, *parent, id.unwrap_or_default(), param)?.index;
            skip = param;
            collections().get(*collection).kinds[0]
        }
        Source::Referring { kind, property, parent } => {
            let key = existing_parent(view, *parent, &route.params[0], property)?;
            ask.filters.push(Filter::refers(view, property, *parent, key));
            *kind
        }
    };
    if let Some(asked) = owner_of_tax_ids(view, op.path.as_str(), pairs)? {
        (ask.source, ask.parent) = asked;
    }
    if matches!(source, Source::Rooted(_) | Source::Referring { .. }) {
        ask.filters.extend(hidden_by_default(kind, &|name| params::given(pairs, name)));
    }
    if catalog().name(kind) == "event" {
        ask.created.0 = params::events_since(account);
    }
    params::filters(view, pairs, op, kind, skip, &mut ask)?;
    let expand = params::expand(pairs, true, kind)?;
    ask.limit = if op.paged { params::limit(pairs)? } else { usize::MAX - 1 };
    ask.cursor = cursor(view, switches, pairs, &ask, kind)?;
    let mut url = path.to_owned();
    if let Source::Children { in_path: false, param, .. } = source {
        url = format!("{path}?{param}={}", params::value(pairs, param).unwrap_or_default());
    }
    Ok(write_page(view, &page(view, &ask), &expand, &url))
}

/// `/v1/tax_ids` lists the account's own ids, or those of one customer.
fn owner_of_tax_ids(
    view: &View<'_>,
    path: &str,
    pairs: &Pairs,
) -> Result<Option<(Source, u64)>, Failure> {
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

fn existing_parent(view: &View<'_>, kind: Kind, id: &str, param: &str) -> Result<Key, Failure> {
    view.find(kind, id)
        .filter(|key| !view.overlay.is_deleted(*key))
        .ok_or_else(|| missing(&spoken(kind), id, param, 404))
}

fn cursor(
    view: &View<'_>,
    switches: &Switches,
    pairs: &Pairs,
    ask: &Ask,
    kind: Kind,
) -> Result<Cursor, Failure> {
    let (after, before) =
        (params::value(pairs, "starting_after"), params::value(pairs, "ending_before"));
    let (id, param) = match (after, before) {
        (None, None) => return Ok(Cursor::None),
        (Some(_), Some(_)) => {
            return Err(Failure::new(
                400,
                "You cannot parameterize both `starting_after` and `ending_before`.",
            )
            .param("ending_before"));
        }
        (Some(id), None) => (id, "starting_after"),
        (None, Some(id)) => (id, "ending_before"),
    };
    let key = match &ask.source {
        Source::Children { collection, .. } => view.find_child(*collection, ask.parent, id),
        _ => view.find(kind, id).filter(|key| key.collection == kind),
    };
    let shown = key.filter(|key| {
        let created = view.place(*key).created;
        let deleted = view.overlay.is_deleted(*key);
        let in_range = (ask.created.0..=ask.created.1).contains(&created);
        let accepted = ask.filters.iter().all(|filter| filter.accepts(view, *key));
        if deleted { switches.deleted_cursor_accepted } else { in_range && accepted }
    });
    let key = shown.ok_or_else(|| missing(&spoken(kind), id, param, 400))?;
    Ok(if after.is_some() { Cursor::After(key) } else { Cursor::Before(key) })
}

fn refunds(view: &View<'_>, route: &Route, path: &str, pairs: &Pairs) -> Result<String, Failure> {
    let (Some(charge), Some(kind)) = (catalog().kind("charge"), catalog().kind("refund")) else {
        return Err(unrecognized("GET", path));
    };
    let key = existing_parent(view, charge, &route.params[0], "charge")?;
    let source = Source::Referring { kind, property: "charge".to_owned(), parent: charge };
    let mut ask = Ask::whole(source, key.index);
    ask.filters.push(Filter::refers(view, "charge", charge, key));
    ask.limit = params::limit(pairs)?;
    ask.cursor = cursor(view, &Switches::default(), pairs, &ask, kind)?;
    Ok(write_page(view, &page(view, &ask), &NOTHING, path))
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

fn item(
    account: &Account,
    view: &View<'_>,
    number: usize,
    route: &Route,
    pairs: &Pairs,
) -> Result<String, Failure> {
    params::only_expand(pairs)?;
    let id = route.params.last().map(String::as_str).unwrap_or_default();
    if catalog().lists[number].path == "/v1/accounts" && id == view.account.own_account {
        return Ok(own_account(view));
    }
    let (key, kind) = match &collections().sources[number] {
        Source::Rooted(kind) => (view.find(*kind, id), *kind),
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
    let not_found = || missing(&spoken(kind), id, "id", 404);
    let key = key.ok_or_else(not_found)?;
    let mut out = String::new();
    if view.overlay.is_deleted(key) {
        if !catalog().object(kind).deleted {
            return Err(not_found());
        }
        write_deleted(view, key, &mut out);
        return Ok(out);
    }
    if catalog().name(kind) == "event" && view.place(key).created < params::events_since(account) {
        return Err(not_found());
    }
    view.write_object(key, &params::expand(pairs, false, view.kind(key))?, &mut out);
    Ok(out)
}

fn own_account(view: &View<'_>) -> String {
    let mut out = String::new();
    if let Some(kind) = catalog().kind("account") {
        view.write_base(Key { collection: kind, index: 0, sub: 0 }, &NOTHING, &mut out);
    }
    let mut value: serde_json::Value =
        serde_json::from_str(&out).expect("recipes write well-formed json");
    value["id"] = view.account.own_account.as_str().into();
    value["email"] = "owner@example.com".into();
    // Optional on one's own account: "the time at which the account was connected".
    if let Some(members) = value.as_object_mut() {
        members.remove("created");
    }
    value.to_string()
}

/// What is left of a deleted object.
pub(crate) fn write_deleted(view: &View<'_>, key: Key, out: &mut String) {
    out.push_str("{\"id\":");
    let mut id = String::new();
    json::string(&mut id, &view.id(key));
    out.push_str(&id);
    out.push_str(",\"object\":\"");
    out.push_str(catalog().name(view.kind(key)));
    out.push_str("\",\"deleted\":true}");
}

/// How Stripe's messages call a type: `No such checkout.session`, `No such customer`.
fn spoken(kind: Kind) -> String {
    catalog().name(kind).to_owned()
}

/// A product that the account has not enabled: no `code`, no `param`, only words.
pub(crate) fn unavailable(path: &str) -> Failure {
    let product = path.split('/').nth(2).unwrap_or("this product");
    Failure::new(
        400,
        &format!(
            "Your account is not set up to use {product}. Please visit https://dashboard.stripe.com to get started."
        ),
    )
}
