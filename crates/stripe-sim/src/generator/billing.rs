//! Subscriptions and their items, invoices and their lines. Amounts add up, and periods and prices
//! are consistent.

use super::{WriteValue, text, write_key, write_reference};
use crate::catalog::catalog;
use crate::collection::{FIRST_INSERTED_SUB, Key, collections};
use crate::expand::Expand;
use crate::id::{plan_of_price, price_of_plan};
use crate::json;
use crate::seed::mix2;
use crate::view::{ObjectSeed, View};

const MONTH: i64 = 30 * 86_400;

pub(super) fn custom(object: &str, name: &str) -> Option<WriteValue> {
    Some(match (object, name) {
        ("subscription", "status") => |_, seed, _, out| quoted(out, subscription_status(seed)),
        ("subscription", "canceled_at" | "ended_at") => |_, seed, _, out| {
            json::int_or_null(
                out,
                (subscription_status(seed) == "canceled").then_some(seed.created + 2 * MONTH),
            );
        },
        ("subscription", "start_date" | "billing_cycle_anchor") => {
            |_, seed, _, out| json::int(out, seed.created)
        }
        (
            "subscription",
            "cancel_at"
            | "days_until_due"
            | "pending_setup_intent"
            | "pending_update"
            | "pause_collection"
            | "transfer_data"
            | "next_pending_invoice_item_invoice"
            | "pending_invoice_item_interval",
        ) => |_, _, _, out| out.push_str("null"),
        ("subscription" | "invoice", "automatic_tax") => |_, _, _, out| {
            out.push_str("{\"disabled_reason\":null,\"enabled\":false,\"liability\":null,\"provider\":null,\"status\":null}");
        },
        ("subscription" | "invoice", "collection_method") => |_, seed, _, out| {
            quoted(out, if seed.draw(2) % 6 == 0 { "send_invoice" } else { "charge_automatically" })
        },
        ("subscription", "billing_mode") => {
            |_, _, _, out| out.push_str("{\"flexible\":null,\"type\":\"classic\"}")
        }
        ("subscription" | "invoice", "payment_settings") => |_, _, _, out| {
            out.push_str("{\"default_mandate\":null,\"payment_method_options\":{\"acss_debit\":null,\"bancontact\":null,\"card\":{\"network\":null,\"request_three_d_secure\":\"automatic\"},\"customer_balance\":null,\"konbini\":null,\"sepa_debit\":null,\"us_bank_account\":null},\"payment_method_types\":null,\"save_default_payment_method\":\"off\"}");
        },
        ("subscription", "trial_settings") => |_, _, _, out| {
            out.push_str("{\"end_behavior\":{\"missing_payment_method\":\"create_invoice\"}}")
        },
        ("subscription", "cancellation_details") => {
            |_, _, _, out| out.push_str("{\"comment\":null,\"feedback\":null,\"reason\":null}")
        }
        (
            "subscription" | "invoice" | "invoiceitem" | "line_item" | "subscription_item",
            "discounts",
        ) => |_, _, _, out| out.push_str("[]"),
        ("subscription_item", "price") => |view, seed, expand, out| {
            let key = item_price(view, seed);
            write_object_or_generated(view, key, "price", seed, expand, out);
        },
        ("subscription_item", "plan") => |view, seed, expand, out| {
            let plan = item_price(view, seed).and_then(|key| plan_of_price(key.index));
            let key = plan
                .and_then(|index| Some(Key { collection: catalog().kind("plan")?, index, sub: 0 }));
            write_object_or_generated(view, key, "plan", seed, expand, out);
        },
        ("subscription_item", "current_period_start") => {
            |_, seed, _, out| json::int(out, seed.created)
        }
        ("subscription_item", "current_period_end") => {
            |_, seed, _, out| json::int(out, seed.created + MONTH)
        }
        ("subscription_item" | "line_item" | "invoiceitem", "quantity") => {
            |_, seed, _, out| json::int(out, (seed.draw(3) % 5) as i64 + 1)
        }
        ("invoice", "status") => |_, seed, _, out| quoted(out, invoice_status(seed)),
        (
            "invoice",
            "total" | "subtotal" | "amount_due" | "subtotal_excluding_tax" | "total_excluding_tax",
        ) => |view, seed, _, out| json::int(out, invoice_total(view, seed)),
        ("invoice", "amount_paid") => |view, seed, _, out| {
            json::int(
                out,
                if invoice_status(seed) == "paid" { invoice_total(view, seed) } else { 0 },
            );
        },
        ("invoice", "amount_remaining") => |view, seed, _, out| {
            json::int(
                out,
                if invoice_status(seed) == "paid" { 0 } else { invoice_total(view, seed) },
            );
        },
        (
            "invoice",
            "amount_overpaid"
            | "amount_shipping"
            | "starting_balance"
            | "post_payment_credit_notes_amount"
            | "pre_payment_credit_notes_amount",
        ) => |_, _, _, out| out.push('0'),
        ("invoice", "attempted") => {
            |_, seed, _, out| json::boolean(out, invoice_status(seed) == "paid")
        }
        ("invoice", "attempt_count") => {
            |_, seed, _, out| json::int(out, i64::from(invoice_status(seed) == "paid"))
        }
        ("invoice", "billing_reason") => |_, seed, _, out| {
            quoted(
                out,
                if seed.draw(4) % 5 == 0 { "subscription_create" } else { "subscription_cycle" },
            )
        },
        ("invoice", "number") => |_, seed, _, out| {
            if invoice_status(seed) == "draft" {
                return out.push_str("null");
            }
            out.push_str("\"SIM-");
            json::int(out, seed.key.index as i64);
            out.push('"');
        },
        ("invoice", "parent") => invoice_parent,
        ("invoice", "period_start") => |_, seed, _, out| json::int(out, seed.created - MONTH),
        ("invoice", "period_end") => |_, seed, _, out| json::int(out, seed.created),
        ("invoice", "status_transitions") => invoice_transitions,
        ("invoice", "hosted_invoice_url" | "invoice_pdf") => {
            |_, seed, _, out| text::token(out, "https://invoice.stripe.test/i/", seed.draw(5))
        }
        ("invoice", "issuer") => |_, _, _, out| out.push_str("{\"type\":\"self\"}"),
        ("invoice", "rendering") => |_, _, _, out| {
            out.push_str("{\"amount_tax_display\":null,\"pdf\":{\"page_size\":\"letter\"},\"template\":null,\"template_version\":null}")
        },
        (
            "invoice",
            "account_tax_ids"
            | "shipping_cost"
            | "shipping_details"
            | "last_finalization_error"
            | "from_invoice"
            | "threshold_reason"
            | "confirmation_secret"
            | "customer_phone",
        ) => |_, _, _, out| out.push_str("null"),
        (
            "invoice",
            "total_discount_amounts"
            | "total_pretax_credit_amounts"
            | "custom_fields"
            | "customer_tax_ids",
        )
        | ("line_item", "taxes" | "discount_amounts" | "pretax_credit_amounts") => {
            |_, _, _, out| out.push_str("[]")
        }
        ("invoice", "total_taxes") => total_taxes,
        ("line_item", "amount" | "subtotal") => {
            |view, seed, _, out| json::int(out, line_amount(view, seed.key))
        }
        ("line_item", "invoice") => |view, seed, _, out| parent_id(view, seed, "invoice", out),
        ("line_item", "period") => |_, seed, _, out| {
            out.push_str("{\"end\":");
            json::int(out, seed.created + MONTH);
            out.push_str(",\"start\":");
            json::int(out, seed.created);
            out.push('}');
        },
        ("line_item", "parent") => line_parent,
        ("line_item", "subscription") => |view, seed, expand, out| {
            let nested = (!expand.is_empty()).then_some(expand);
            write_reference(view, invoice_subscription(view, seed.key.index), nested, out);
        },
        ("line_item" | "invoiceitem", "pricing") => pricing,
        ("invoice_payment", "payment") => invoice_payment,
        ("invoice_payment", "status") => |_, _, _, out| quoted(out, "paid"),
        ("credit_note", "number") => |_, seed, _, out| text::token(out, "SIM-CN-", seed.draw(6)),
        _ => return None,
    })
}

fn quoted(out: &mut String, text: &str) {
    out.push('"');
    out.push_str(text);
    out.push('"');
}

/// The status of a subscription. One in seven is canceled, and lists hide these by default.
pub(crate) fn subscription_status(seed: &ObjectSeed) -> &'static str {
    match seed.draw(1) % 100 {
        0..14 => "canceled",
        14..20 => "past_due",
        20..26 => "trialing",
        26..28 => "unpaid",
        28..30 => "incomplete_expired",
        _ => "active",
    }
}

fn invoice_status(seed: &ObjectSeed) -> &'static str {
    match seed.draw(1) % 100 {
        0..4 => "draft",
        4..11 => "open",
        11..14 => "void",
        14..16 => "uncollectible",
        _ => "paid",
    }
}

fn line_amount(view: &View<'_>, key: Key) -> i64 {
    (mix2(view.account.seed ^ 0x11e, (key.index << 20) ^ u64::from(key.sub)) % 300) as i64 * 25
        + 100
}

fn invoice_total(view: &View<'_>, seed: &ObjectSeed) -> i64 {
    let Some(collection) = collections().child(seed.kind, "lines") else { return 0 };
    let lines = view.child_count(collection, seed.key.index) as u32;
    let computed = (0..lines).map(|sub| Key { collection, index: seed.key.index, sub });
    let removed = |key: &Key| !view.changes.is_deleted(*key);
    computed.filter(removed).map(|key| line_amount(view, key)).sum()
}

fn invoice_subscription(view: &View<'_>, invoice: u64) -> Option<(usize, u64)> {
    let kind = catalog().kind("invoice")?;
    let steps = view.account.relations.path(kind, "subscription")?;
    view.account.relations.follow(kind, invoice, steps)
}

fn invoice_parent(view: &View<'_>, seed: &ObjectSeed, expand: &Expand, out: &mut String) {
    let Some(target) = invoice_subscription(view, seed.key.index) else {
        return out.push_str("null");
    };
    out.push_str(
        "{\"quote_details\":null,\"subscription_details\":{\"metadata\":{},\"subscription\":",
    );
    let nested = expand.nested("subscription_details");
    write_reference(view, Some(target), nested.get("subscription"), out);
    out.push_str("},\"type\":\"subscription_details\"}");
}

/// One invoice in five has taxes of two rates, which its lines include.
fn total_taxes(view: &View<'_>, seed: &ObjectSeed, _: &Expand, out: &mut String) {
    if !seed.draw(9).is_multiple_of(5) {
        return out.push_str("[]");
    }
    out.push('[');
    for rate in 0..2 {
        if rate > 0 {
            out.push(',');
        }
        out.push_str("{\"amount\":");
        json::int(out, invoice_total(view, seed) * (7 + 5 * rate) / 100);
        out.push_str(",\"tax_behavior\":\"inclusive\",\"tax_rate_details\":{\"tax_rate\":");
        let target = catalog().kind("tax_rate").filter(|k| view.account.relations.count(*k) > 0);
        write_reference(view, target.map(|kind| (kind, 0)), None, out);
        out.push_str("},\"taxability_reason\":\"standard_rated\",\"taxable_amount\":");
        json::int(out, invoice_total(view, seed));
        out.push_str(",\"type\":\"tax_rate_details\"}");
    }
    out.push(']');
}

fn invoice_transitions(_: &View<'_>, seed: &ObjectSeed, _: &Expand, out: &mut String) {
    let status = invoice_status(seed);
    let when = |is: bool| is.then_some(seed.created + 3_600);
    out.push_str("{\"finalized_at\":");
    json::int_or_null(out, when(status != "draft"));
    out.push_str(",\"marked_uncollectible_at\":");
    json::int_or_null(out, when(status == "uncollectible"));
    out.push_str(",\"paid_at\":");
    json::int_or_null(out, when(status == "paid"));
    out.push_str(",\"voided_at\":");
    json::int_or_null(out, when(status == "void"));
    out.push('}');
}

fn parent_id(view: &View<'_>, seed: &ObjectSeed, parent: &str, out: &mut String) {
    let key =
        catalog().kind(parent).map(|collection| Key { collection, index: seed.key.index, sub: 0 });
    match key {
        Some(key) => view.write_quoted_id(key, out),
        None => out.push_str("null"),
    }
}

fn line_parent(view: &View<'_>, seed: &ObjectSeed, _: &Expand, out: &mut String) {
    let Some((kind, index)) = invoice_subscription(view, seed.key.index) else {
        return out.push_str("null");
    };
    out.push_str("{\"invoice_item_details\":null,\"subscription_item_details\":{\"invoice_item\":null,\"proration\":false,\"proration_details\":{\"credited_items\":null},\"subscription\":");
    view.write_quoted_id(Key { collection: kind, index, sub: 0 }, out);
    out.push_str(",\"subscription_item\":");
    match collections().child(kind, "items") {
        Some(collection) if view.child_count(collection, index) > 0 => {
            let sub = seed.key.sub
                % FIRST_INSERTED_SUB
                % view.child_count(collection, index).min(u64::from(u32::MAX)) as u32;
            view.write_quoted_id(Key { collection, index, sub }, out);
        }
        _ => out.push_str("null"),
    }
    out.push_str("},\"type\":\"subscription_item_details\"}");
}

/// The recurring price of a subscription item or an invoice line.
fn item_price(view: &View<'_>, seed: &ObjectSeed) -> Option<Key> {
    let collection = catalog().kind("price")?;
    let prices = view.account.relations.count(collection);
    // Three out of four prices are recurring; see `price_of_plan`.
    let recurring = prices / 4 * 3 + (prices % 4).min(3);
    (recurring > 0).then(|| Key {
        collection,
        index: price_of_plan(seed.draw(7) % recurring),
        sub: 0,
    })
}

/// Writes the object `key`, or a generated object of the type if the account has none.
fn write_object_or_generated(
    view: &View<'_>,
    key: Option<Key>,
    kind: &str,
    seed: &ObjectSeed,
    expand: &Expand,
    out: &mut String,
) {
    if let Some(key) = key {
        return view.write_object(key, expand, out);
    }
    // The account has no prices, so the object is generated for this item only.
    let Some(collection) = catalog().kind(kind) else { return out.push_str("null") };
    view.write_base(Key { collection, index: seed.key.index / 3 * 4, sub: 0 }, expand, out);
}

fn pricing(view: &View<'_>, seed: &ObjectSeed, expand: &Expand, out: &mut String) {
    let Some(price) = item_price(view, seed) else { return out.push_str("null") };
    out.push_str("{\"price_details\":{\"price\":");
    write_key(view, price, expand.nested("price_details").get("price"), out);
    out.push_str(",\"product\":");
    let steps = view.account.relations.path(price.collection, "product").unwrap_or(&[]);
    let product = view
        .account
        .relations
        .follow(price.collection, price.index, steps)
        .filter(|t| t.0 != price.collection);
    write_reference(view, product, None, out);
    out.push_str("},\"type\":\"price_details\",\"unit_amount_decimal\":\"");
    json::int(out, (seed.draw(8) % 4_000) as i64);
    out.push_str("\"}");
}

fn invoice_payment(view: &View<'_>, seed: &ObjectSeed, expand: &Expand, out: &mut String) {
    let steps = view.account.relations.path(seed.kind, "payment_intent").unwrap_or(&[]);
    let target = view
        .account
        .relations
        .follow(seed.kind, seed.key.index, steps)
        .filter(|t| t.0 != seed.kind);
    out.push_str("{\"payment_intent\":");
    write_reference(view, target, expand.get("payment_intent"), out);
    out.push_str(",\"type\":\"payment_intent\"}");
}
