//! Products, prices, plans, coupons and promotion codes.

use super::{WriteValue, text, write_reference};
use crate::catalog::catalog;
use crate::collection::{FIRST_INSERTED_INDEX, Key};
use crate::expand::Expand;
use crate::id::price_of_plan;
use crate::json;
use crate::view::{ObjectSeed, View};

pub(super) fn custom(object: &str, name: &str) -> Option<WriteValue> {
    Some(match (object, name) {
        ("product", "active") => |_, seed, _, out| json::boolean(out, seed.draw(1) % 8 != 0),
        ("product", "name") => |_, seed, _, out| text::phrase(out, seed.draw(2)),
        ("product", "images") => |_, seed, _, out| {
            out.push_str(
                ["[]", "[\"https://files.example.com/shirt.png\"]"][seed.draw(3) as usize % 2],
            );
        },
        ("product", "marketing_features") => {
            |_, _, _, out| out.push_str("[{\"name\":\"Unlimited seats\"},{\"name\":\"Sync\"}]")
        }
        ("product", "type") => |_, _, _, out| out.push_str("\"service\""),
        ("price", "active") => {
            |view, seed, _, out| json::boolean(out, !price(view, seed).draw(1).is_multiple_of(7))
        }
        ("plan", "active") => {
            |view, seed, _, out| json::boolean(out, !price(view, seed).draw(1).is_multiple_of(7))
        }
        ("price" | "plan", "billing_scheme") => |_, _, _, out| out.push_str("\"per_unit\""),
        ("price", "unit_amount") | ("plan", "amount") => {
            |view, seed, _, out| json::int(out, unit_amount(view, seed))
        }
        ("price", "unit_amount_decimal") | ("plan", "amount_decimal") => |view, seed, _, out| {
            out.push('"');
            json::int(out, unit_amount(view, seed));
            out.push('"');
        },
        ("price", "type") => |_, seed, _, out| {
            out.push_str(if is_recurring(seed) { "\"recurring\"" } else { "\"one_time\"" })
        },
        ("price", "recurring") => price_recurring,
        ("plan", "interval") => |view, seed, _, out| {
            out.push('"');
            out.push_str(interval(&price(view, seed)));
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
        ("price", "lookup_key") => |_, seed, _, out| {
            if seed.draw(4) % 3 == 0 {
                out.push_str("\"key-");
                json::int(out, seed.key.index as i64);
                out.push('"');
            } else {
                out.push_str("null");
            }
        },
        ("coupon", "percent_off") => |_, seed, _, out| {
            out.push_str(if seed.key.index % 3 == 0 {
                "null"
            } else {
                ["25.0", "12.5", "100"][seed.draw(5) as usize % 3]
            });
        },
        ("coupon", "amount_off") => |_, seed, _, out| {
            json::int_or_null(
                out,
                (seed.key.index % 3 == 0).then_some((seed.draw(6) % 50_000) as i64 + 100),
            );
        },
        ("coupon", "name") => |_, seed, _, out| text::phrase(out, seed.draw(7)),
        ("promotion_code", "code") => |_, seed, _, out| {
            out.push_str("\"SAVE");
            json::int(out, seed.key.index as i64);
            out.push('"');
        },
        ("promotion_code", "promotion") => promotion,
        _ => return None,
    })
}

/// The price of a plan, or the price itself. A plan has the values of its price.
fn price(view: &View<'_>, seed: &ObjectSeed) -> ObjectSeed {
    let catalog = catalog();
    match catalog.kind("price") {
        Some(kind) if seed.kind != kind && seed.key.index < FIRST_INSERTED_INDEX => {
            view.object_seed(Key { collection: kind, index: price_of_plan(seed.key.index), sub: 0 })
        }
        _ => *seed,
    }
}

fn unit_amount(view: &View<'_>, seed: &ObjectSeed) -> i64 {
    (price(view, seed).draw(8) % 400) as i64 * 50 + 500
}

fn is_recurring(seed: &ObjectSeed) -> bool {
    seed.key.index % 4 != 3
}

fn interval(seed: &ObjectSeed) -> &'static str {
    ["month", "month", "year", "week"][seed.draw(9) as usize % 4]
}

fn price_recurring(_: &View<'_>, seed: &ObjectSeed, _: &Expand, out: &mut String) {
    if !is_recurring(seed) {
        return out.push_str("null");
    }
    out.push_str("{\"interval\":\"");
    out.push_str(interval(seed));
    out.push_str("\",\"interval_count\":1,\"meter\":null,\"trial_period_days\":null,\"usage_type\":\"licensed\"}");
}

fn plan_product(view: &View<'_>, seed: &ObjectSeed, expand: &Expand, out: &mut String) {
    let price = price(view, seed);
    let steps = view.account.relations.path(price.kind, "product").unwrap_or(&[]);
    let target = if steps.is_empty() {
        None
    } else {
        view.account.relations.follow(price.kind, price.key.index, steps)
    };
    let nested = (!expand.is_empty()).then_some(expand);
    write_reference(view, target, nested, out);
}

fn promotion(view: &View<'_>, seed: &ObjectSeed, expand: &Expand, out: &mut String) {
    out.push_str("{\"coupon\":");
    let steps = view.account.relations.path(seed.kind, "coupon").unwrap_or(&[]);
    let target = view
        .account
        .relations
        .follow(seed.kind, seed.key.index, steps)
        .filter(|t| t.0 != seed.kind);
    write_reference(view, target, expand.get("coupon"), out);
    out.push_str(",\"type\":\"coupon\"}");
}
