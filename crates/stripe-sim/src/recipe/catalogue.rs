//! Products, prices, plans, coupons and promotion codes.

use super::{Write, words, write_reference};
use crate::catalog::catalog;
use crate::collection::{INSERTED, Key};
use crate::expand::Expand;
use crate::id::price_of_plan;
use crate::json;
use crate::view::{Row, View};

pub(super) fn custom(object: &str, name: &str) -> Option<Write> {
    Some(match (object, name) {
        ("product", "active") => |_, row, _, out| json::boolean(out, row.draw(1) % 8 != 0),
        ("product", "name") => |_, row, _, out| words::phrase(out, row.draw(2)),
        ("product", "images") => |_, row, _, out| {
            out.push_str(
                ["[]", "[\"https://files.example.com/shirt.png\"]"][row.draw(3) as usize % 2],
            );
        },
        ("product", "marketing_features") => {
            |_, _, _, out| out.push_str("[{\"name\":\"Unlimited seats\"},{\"name\":\"Sync\"}]")
        }
        ("product", "type") => |_, _, _, out| out.push_str("\"service\""),
        ("price", "active") => {
            |view, row, _, out| json::boolean(out, !price(view, row).draw(1).is_multiple_of(7))
        }
        ("plan", "active") => {
            |view, row, _, out| json::boolean(out, !price(view, row).draw(1).is_multiple_of(7))
        }
        ("price" | "plan", "billing_scheme") => |_, _, _, out| out.push_str("\"per_unit\""),
        ("price", "unit_amount") | ("plan", "amount") => {
            |view, row, _, out| json::int(out, unit_amount(view, row))
        }
        ("price", "unit_amount_decimal") | ("plan", "amount_decimal") => |view, row, _, out| {
            out.push('"');
            json::int(out, unit_amount(view, row));
            out.push('"');
        },
        ("price", "type") => |_, row, _, out| {
            out.push_str(if recurring(row) { "\"recurring\"" } else { "\"one_time\"" })
        },
        ("price", "recurring") => price_recurring,
        ("plan", "interval") => |view, row, _, out| {
            out.push('"');
            out.push_str(interval(&price(view, row)));
            out.push('"');
        },
        ("plan", "interval_count") => |_, _, _, out| out.push('1'),
        ("plan", "product") => plan_product,
        ("plan", "usage_type") => |_, _, _, out| out.push_str("\"licensed\""),
        (
            "price",
            "currency_options" | "custom_unit_amount" | "transform_quantity" | "tiers_mode",
        )
        | ("plan", "transform_usage" | "tiers_mode" | "meter") => {
            |_, _, _, out| out.push_str("null")
        }
        ("price", "lookup_key") => |_, row, _, out| {
            if row.draw(4) % 3 == 0 {
                out.push_str("\"key-");
                json::int(out, row.key.index as i64);
                out.push('"');
            } else {
                out.push_str("null");
            }
        },
        ("coupon", "percent_off") => |_, row, _, out| {
            out.push_str(if row.key.index % 3 == 0 {
                "null"
            } else {
                ["25.0", "12.5", "100"][row.draw(5) as usize % 3]
            });
        },
        ("coupon", "amount_off") => |_, row, _, out| {
            json::int_or_null(
                out,
                (row.key.index % 3 == 0).then_some((row.draw(6) % 50_000) as i64 + 100),
            );
        },
        ("coupon", "name") => |_, row, _, out| words::phrase(out, row.draw(7)),
        ("promotion_code", "code") => |_, row, _, out| {
            out.push_str("\"SAVE");
            json::int(out, row.key.index as i64);
            out.push('"');
        },
        ("promotion_code", "promotion") => promotion,
        _ => return None,
    })
}

/// The price whose data a price or a plan shows: a plan is a view of its price.
fn price(view: &View<'_>, row: &Row) -> Row {
    let catalog = catalog();
    match catalog.kind("price") {
        Some(kind) if row.kind != kind && row.key.index < INSERTED => {
            view.row(Key { collection: kind, index: price_of_plan(row.key.index), sub: 0 })
        }
        _ => *row,
    }
}

fn unit_amount(view: &View<'_>, row: &Row) -> i64 {
    (price(view, row).draw(8) % 400) as i64 * 50 + 500
}

fn recurring(row: &Row) -> bool {
    row.key.index % 4 != 3
}

fn interval(row: &Row) -> &'static str {
    ["month", "month", "year", "week"][row.draw(9) as usize % 4]
}

fn price_recurring(_: &View<'_>, row: &Row, _: &Expand, out: &mut String) {
    if !recurring(row) {
        return out.push_str("null");
    }
    out.push_str("{\"interval\":\"");
    out.push_str(interval(row));
    out.push_str("\",\"interval_count\":1,\"meter\":null,\"trial_period_days\":null,\"usage_type\":\"licensed\"}");
}

fn plan_product(view: &View<'_>, row: &Row, expand: &Expand, out: &mut String) {
    let price = price(view, row);
    let steps = view.account.relations.path(price.kind, "product").unwrap_or(&[]);
    let target = if steps.is_empty() {
        None
    } else {
        view.account.relations.follow(price.kind, price.key.index, steps)
    };
    let wanted = (!expand.is_empty()).then_some(expand);
    write_reference(view, target, wanted, out);
}

fn promotion(view: &View<'_>, row: &Row, expand: &Expand, out: &mut String) {
    out.push_str("{\"coupon\":");
    let steps = view.account.relations.path(row.kind, "coupon").unwrap_or(&[]);
    let target =
        view.account.relations.follow(row.kind, row.key.index, steps).filter(|t| t.0 != row.kind);
    write_reference(view, target, expand.get("coupon"), out);
    out.push_str(",\"type\":\"coupon\"}");
}

/// Inline prices exist but no list shows them.
/// <https://github.com/stripe/stripe-python/issues/1724>
pub(crate) fn price_is_inline(row: &Row) -> bool {
    row.key.index < INSERTED && row.draw(10).is_multiple_of(40)
}
