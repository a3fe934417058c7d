//! The query parameters of a request: checks them as Stripe does and converts them to a list query.

use crate::api_error::ApiError;
use crate::catalog::{Kind, ListOp, catalog};
use crate::expand::{Expand, MAX_DEPTH};
use crate::filter::{Filter, Test};
use crate::list::ListQuery;
use crate::route::decode;
use crate::view::View;

/// The decoded parameters of a query, in the order of the request.
pub(crate) type Pairs = Vec<(String, String)>;

/// Splits and decodes a query. A `+` is a space.
pub(crate) fn pairs(query: &str) -> Result<Pairs, ApiError> {
    let decode_part = |text: &str| {
        decode(&text.replace('+', " "))
            .ok_or_else(|| ApiError::new(400, "Invalid request: the query is not valid UTF-8."))
    };
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode_part(name)?, decode_part(value)?))
        })
        .collect()
}

/// Splits `name[inner]` into its parts. In `name[]` and `name[0]`, which are arrays, the inner part
/// is empty or the index.
fn nested(name: &str) -> (&str, Option<&str>) {
    match name.split_once('[') {
        Some((outer, inner)) => (outer, Some(inner.trim_end_matches(']'))),
        None => (name, None),
    }
}

fn unknown_parameter(name: &str) -> ApiError {
    ApiError::new(400, &format!("Received unknown parameter: {name}"))
        .code("parameter_unknown")
        .param(name)
}

/// Reads the expansions. On a list, every path must begin with `data`.
pub(crate) fn expand(pairs: &Pairs, list: bool, kind: Kind) -> Result<Expand, ApiError> {
    let mut tree = Expand::default();
    for (_, path) in pairs.iter().filter(|(name, _)| nested(name).0 == "expand") {
        if path.split('.').count() > MAX_DEPTH {
            return Err(ApiError::new(
                400,
                &format!(
                    "You cannot expand more than {MAX_DEPTH} levels of a property. Property: {path}"
                ),
            )
            .code("property_expansion_max_depth")
            .param("expand"));
        }
        let inner = if list { path.strip_prefix("data.") } else { Some(path.as_str()) };
        let Some(inner) = inner.filter(|inner| is_expandable(kind, inner)) else {
            let message = format!("This property cannot be expanded ({path}).");
            return Err(ApiError::new(400, &message).param("expand"));
        };
        tree.add(inner);
    }
    Ok(tree)
}

fn is_expandable(kind: Kind, path: &str) -> bool {
    let first = path.split('.').next().unwrap_or(path);
    catalog().object(kind).properties.get(first).is_some_and(|property| {
        let array = property.items.as_deref().is_some_and(|items| !items.expandable.is_empty());
        // A property such as the tiers of a price, which is only sent if it is expanded.
        let includable = property.optional && property.kind == "array";
        property.kind == "list"
            || includable
            || property.kind == "object"
            || !property.expandable.is_empty()
            || array
    })
}

/// Rejects all parameters other than `expand`, which is the only parameter of a retrieve request.
pub(crate) fn check_only_expand(pairs: &Pairs) -> Result<(), ApiError> {
    match pairs.iter().find(|(name, _)| nested(name).0 != "expand") {
        Some((name, _)) => Err(unknown_parameter(name)),
        None => Ok(()),
    }
}

/// Returns the value of a parameter.
pub(crate) fn value<'a>(pairs: &'a Pairs, name: &str) -> Option<&'a str> {
    pairs.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
}

/// Whether the request has a parameter, including the form `name[inner]`.
pub(crate) fn is_given(pairs: &Pairs, name: &str) -> bool {
    pairs.iter().any(|(n, _)| nested(n).0 == name)
}

/// Checks the names and values of a list's parameters, and that all required parameters are given.
pub(crate) fn check_list(pairs: &Pairs, list: &ListOp) -> Result<(), ApiError> {
    for (name, text) in pairs {
        let (outer, inner) = nested(name);
        let range = (list.created && outer == "created") || list.ranges.iter().any(|r| r == outer);
        let known = match outer {
            "expand" => true,
            "limit" | "starting_after" | "ending_before" => list.paged && inner.is_none(),
            _ if range => matches!(inner, None | Some("gt" | "gte" | "lt" | "lte")),
            _ => list.filters.contains_key(outer),
        };
        if !known {
            return Err(unknown_parameter(name));
        }
        if text.is_empty() && outer != "expand" {
            return Err(ApiError::new(
                400,
                &format!("You passed an empty string for '{name}'. We assume empty values are an attempt to unset a parameter; however '{name}' cannot be unset."),
            )
            .code("parameter_invalid_empty")
            .param(name));
        }
        let values = list.filters.get(outer).map(|f| &f.values[..]).unwrap_or_default();
        if !values.is_empty() && !values.iter().any(|v| v == text) {
            let all = values.join(", ");
            return Err(
                ApiError::new(400, &format!("Invalid {outer}: must be one of {all}")).param(outer)
            );
        }
    }
    match list.required.iter().find(|name| !is_given(pairs, name)) {
        Some(name) => Err(ApiError::new(400, &format!("Missing required param: {name}."))
            .code("parameter_missing")
            .param(name)),
        None => Ok(()),
    }
}

/// Reads an integer parameter.
pub(crate) fn integer(name: &str, text: &str) -> Result<i64, ApiError> {
    text.parse().map_err(|_| {
        ApiError::new(400, &format!("Invalid integer: {text}"))
            .code("parameter_invalid_integer")
            .param(name)
    })
}

/// Reads `limit`.
pub(crate) fn limit(pairs: &Pairs) -> Result<usize, ApiError> {
    let Some(text) = value(pairs, "limit") else { return Ok(10) };
    let limit = integer("limit", text)?;
    let out_of_range = |bound: &str| {
        ApiError::new(400, &format!("This value must be {bound} (it currently is '{text}')."))
            .code("parameter_invalid_integer")
            .param("limit")
    };
    match limit {
        ..=0 => Err(out_of_range("greater than or equal to 1")),
        1..=100 => Ok(limit as usize),
        _ => Err(out_of_range("less than or equal to 100")),
    }
}

/// Narrows an inclusive range by one parameter.
fn narrow(
    range: &mut (i64, i64),
    name: &str,
    inner: Option<&str>,
    text: &str,
) -> Result<(), ApiError> {
    let bound = integer(name, text)?;
    match inner {
        Some("gt") => range.0 = range.0.max(bound.saturating_add(1)),
        Some("gte") => range.0 = range.0.max(bound),
        Some("lt") => range.1 = range.1.min(bound.saturating_sub(1)),
        Some("lte") => range.1 = range.1.min(bound),
        _ => *range = (range.0.max(bound), range.1.min(bound)),
    }
    Ok(())
}

/// Adds the ranges and filters of the request to the list query. `parent_param` is the parameter
/// that names the parent.
pub(crate) fn add_filters(
    view: &View<'_>,
    pairs: &Pairs,
    list: &ListOp,
    kind: Kind,
    parent_param: &str,
    list_query: &mut ListQuery,
) -> Result<(), ApiError> {
    for (name, text) in pairs {
        let (outer, inner) = nested(name);
        // Required parameters such as a time span or an owner determine how objects are computed.
        // They do not filter objects.
        let not_a_filter = outer == parent_param || list.required.iter().any(|r| r == outer);
        if not_a_filter || matches!(outer, "expand" | "limit" | "starting_after" | "ending_before")
        {
            continue;
        }
        if outer == "created" && list.created {
            narrow(&mut list_query.created, name, inner, text)?;
        } else if outer == "created_after" || outer == "created_before" {
            narrow(
                &mut list_query.created,
                name,
                Some(if outer == "created_after" { "gt" } else { "lt" }),
                text,
            )?;
        } else if list.ranges.iter().any(|r| r == outer) {
            let mut range = (i64::MIN, i64::MAX);
            narrow(&mut range, name, inner, text)?;
            list_query.filters.push(Filter::new(outer, Test::Between(range.0, range.1)));
        } else {
            list_query.filters.extend(filter(view, pairs, list, kind, outer, inner, text)?);
        }
    }
    Ok(())
}

fn filter(
    view: &View<'_>,
    pairs: &Pairs,
    list: &ListOp,
    kind: Kind,
    outer: &str,
    inner: Option<&str>,
    text: &str,
) -> Result<Option<Filter>, ApiError> {
    let quoted = |text: &str| {
        let mut out = String::new();
        crate::json::string(&mut out, text);
        out
    };
    let object = catalog().name(kind);
    let all = || pairs.iter().filter(|(n, _)| nested(n).0 == outer).map(|(_, v)| v.clone());
    let found = match (object, outer) {
        (_, "status") if text == "all" => return Ok(None),
        ("subscription", "status") if text == "ended" => Filter::new(
            "status",
            Test::In(vec!["\"canceled\"".into(), "\"incomplete_expired\"".into()]),
        ),
        ("event", "type" | "types") => Filter::new("type", Test::Like(all().collect())),
        ("event", "delivery_success") => {
            let delivered = vec!["0".to_owned()];
            Filter::new(
                "pending_webhooks",
                if text == "true" { Test::In(delivered) } else { Test::NotIn(delivered) },
            )
        }
        ("subscription", "price" | "plan") => Filter::new("items", Test::Contains(quoted(text))),
        ("invoice", "subscription") => text_or_reference(
            view,
            "subscription",
            "parent.subscription_details.subscription",
            text,
            kind,
        ),
        ("invoiceitem", "pending") => {
            let null = vec!["null".to_owned()];
            Filter::new("invoice", if text == "true" { Test::In(null) } else { Test::NotIn(null) })
        }
        ("price", "lookup_keys") => {
            Filter::new("lookup_key", Test::In(all().map(|v| quoted(&v)).collect()))
        }
        ("product", "ids") => Filter::new("id", Test::In(all().map(|v| quoted(&v)).collect())),
        ("promotion_code", "coupon") => {
            Filter::new("promotion.coupon", Test::In(vec![quoted(text)]))
        }
        ("tax_id", "owner") | ("apps.secret", "scope") => return Ok(None),
        _ => {
            let Some(property) = catalog().object(kind).properties.get(outer) else {
                return Ok(None);
            };
            let path = match inner {
                Some(inner) if property.kind == "object" => format!("{outer}.{inner}"),
                _ => outer.to_owned(),
            };
            match list.filters.get(outer).map(|f| f.kind.as_str()) {
                Some("boolean") if !matches!(text, "true" | "false") => {
                    return Err(
                        ApiError::new(400, &format!("Invalid boolean: {text}")).param(outer)
                    );
                }
                Some("boolean") => Filter::new(&path, Test::In(vec![text.to_owned()])),
                Some("integer") => {
                    Filter::new(&path, Test::In(vec![integer(outer, text)?.to_string()]))
                }
                Some("array") => Filter::new(&path, Test::In(all().map(|v| quoted(&v)).collect())),
                // `automatic_tax[enabled]=true` compares a boolean, `recurring[interval]=month` a
                // string.
                Some("object") => Filter::new(&path, Test::In(vec![quoted(text), text.to_owned()])),
                _ => text_or_reference(view, outer, &path, text, kind),
            }
        }
    };
    Ok(Some(found))
}

/// Returns a filter by text. If the text is the id of a parent, the list can skip objects that
/// cannot refer to it.
fn text_or_reference(
    view: &View<'_>,
    property: &str,
    path: &str,
    text: &str,
    kind: Kind,
) -> Filter {
    let mut filter = Filter::text(path, text);
    let target =
        view.account.relations.path(kind, property).and_then(|steps| steps.last()).and_then(
            |step| match step {
                crate::relation::Step::Up(target) => view.find(*target, text),
                crate::relation::Step::Newest(_) => None,
            },
        );
    if let Some(key) = target {
        filter.narrow_to(property, (key.collection, key.index));
    }
    filter
}
