//! `id`, `created`, metadata, and what customers and their payment methods carry: names, addresses, cards.

use super::{Write, words};
use crate::catalog::catalog;
use crate::collection::Key;
use crate::expand::Expand;
use crate::json;
use crate::view::{Row, View};

pub(super) fn custom(object: &str, name: &str) -> Option<Write> {
    Some(match (object, name) {
        (_, "id") => |view, row, _, out| view.write_quoted_id(row.key, out),
        (_, "created" | "updated") | ("invoiceitem", "date") => {
            |_, row, _, out| json::int(out, row.created)
        }
        (_, "metadata") => |_, row, _, out| words::metadata(out, row.draw(1)),
        ("customer", "name") | (_, "customer_name") => {
            |_, row, _, out| quoted(out, row, words::name)
        }
        ("customer", "email") | ("invoice", "customer_email") => email,
        ("customer", "phone") => |_, row, _, out| phone(out, row.draw(2)),
        ("customer", "address") | ("invoice", "customer_address") => {
            |_, row, _, out| words::address(out, row.draw(3))
        }
        ("customer", "shipping")
        | ("invoice", "customer_shipping")
        | ("charge" | "payment_intent", "shipping") => shipping,
        ("customer", "balance") => |_, row, _, out| {
            json::int(out, if row.draw(4) % 10 == 0 { -((row.draw(5) % 9_000) as i64) } else { 0 })
        },
        ("customer", "delinquent") => |_, row, _, out| json::boolean(out, row.draw(6) % 25 == 0),
        ("customer", "discount") => |_, _, _, out| out.push_str("null"),
        ("customer", "invoice_prefix") => |_, row, _, out| words_upper(out, row.draw(7)),
        ("customer", "invoice_settings") => invoice_settings,
        ("customer", "preferred_locales") => |_, row, _, out| {
            out.push_str(["[]", "[\"en\"]", "[\"de\",\"en-GB\"]", "[]"][row.draw(8) as usize % 4]);
        },
        ("customer", "tax_exempt") => |_, row, _, out| {
            out.push_str(["\"none\"", "\"none\"", "\"reverse\""][row.draw(9) as usize % 3])
        },
        ("customer", "test_clock") => |_, row, _, out| test_clock(row, out),
        ("payment_method" | "charge", "billing_details") => billing_details,
        ("payment_method", "type") => {
            |view, row, _, out| out.push_str(payment_method_type(view, row))
        }
        ("payment_method", "card") => |_, row, _, out| card(row, out),
        ("account", "charges_enabled" | "payouts_enabled" | "details_submitted") => {
            |_, _, _, out| out.push_str("true")
        }
        ("account", "email") => email,
        ("account", "type") => |_, _, _, out| out.push_str("\"express\""),
        _ => return None,
    })
}

fn quoted(out: &mut String, row: &Row, write: fn(&mut String, u64)) {
    out.push('"');
    write(out, row.draw(10));
    out.push('"');
}

fn email(view: &View<'_>, row: &Row, _: &Expand, out: &mut String) {
    // An invoice repeats its customer's address, so that a join on it finds something.
    let catalog = catalog();
    let mut of = *row;
    if catalog.name(row.kind) == "invoice" {
        let steps = view.account.relations.path(row.kind, "customer").unwrap_or(&[]);
        if let Some((kind, index)) = view.account.relations.follow(row.kind, row.key.index, steps) {
            of = view.row(Key { collection: kind, index, sub: 0 });
        }
    }
    out.push('"');
    words::email(out, of.draw(11), of.key.index);
    out.push('"');
}

fn phone(out: &mut String, hash: u64) {
    if hash.is_multiple_of(3) {
        return out.push_str("null");
    }
    out.push_str("\"+1555555");
    json::int(out, (hash % 9_000) as i64 + 1_000);
    out.push('"');
}

fn words_upper(out: &mut String, hash: u64) {
    out.push('"');
    let mut hex = String::with_capacity(16);
    words::hex(&mut hex, hash);
    out.push_str(&hex[..7].to_ascii_uppercase());
    out.push('"');
}

fn shipping(_: &View<'_>, row: &Row, _: &Expand, out: &mut String) {
    if !row.draw(12).is_multiple_of(3) {
        return out.push_str("null");
    }
    out.push_str("{\"address\":");
    words::address(out, row.draw(13));
    out.push_str(",\"name\":");
    quoted(out, row, words::name);
    out.push_str(",\"phone\":");
    phone(out, row.draw(14));
    out.push('}');
}

fn invoice_settings(view: &View<'_>, row: &Row, expand: &Expand, out: &mut String) {
    out.push_str("{\"custom_fields\":null,\"default_payment_method\":");
    let methods = catalog().kind("payment_method").map(crate::relation::Step::Newest);
    let target =
        methods.and_then(|step| view.account.relations.follow(row.kind, row.key.index, &[step]));
    super::write_reference(view, target, expand.get("default_payment_method"), out);
    out.push_str(",\"footer\":null,\"rendering_options\":null}");
}

fn test_clock(_: &Row, out: &mut String) {
    out.push_str("null");
}

fn billing_details(_: &View<'_>, row: &Row, _: &Expand, out: &mut String) {
    out.push_str("{\"address\":");
    words::address(out, row.draw(15));
    out.push_str(",\"email\":\"");
    words::email(out, row.draw(16), row.key.index);
    out.push_str("\",\"name\":");
    quoted(out, row, words::name);
    out.push_str(",\"phone\":");
    phone(out, row.draw(17));
    out.push_str(",\"tax_id\":null}");
}

/// Cards, unless the account was asked for methods of the hidden type.
fn payment_method_type(view: &View<'_>, row: &Row) -> &'static str {
    if view.account.custom_payment_methods && row.key.index % 20 == 7 {
        "\"custom\""
    } else {
        "\"card\""
    }
}

fn card(row: &Row, out: &mut String) {
    let hash = row.draw(18);
    let brand = ["visa", "mastercard", "amex"][(hash % 3) as usize];
    out.push_str("{\"brand\":\"");
    out.push_str(brand);
    out.push_str("\",\"checks\":{\"address_line1_check\":null,\"address_postal_code_check\":\"pass\",\"cvc_check\":\"pass\"},");
    out.push_str("\"country\":\"US\",\"display_brand\":\"");
    out.push_str(brand);
    out.push_str("\",\"exp_month\":");
    json::int(out, (hash >> 8) as i64 % 12 + 1);
    out.push_str(",\"exp_year\":");
    json::int(out, 2027 + (hash >> 12) as i64 % 8);
    out.push_str(",\"fingerprint\":");
    words::token(out, "", hash);
    out.push_str(",\"funding\":\"credit\",\"generated_from\":null,\"last4\":\"");
    json::int(out, (hash >> 16) as i64 % 9_000 + 1_000);
    out.push_str("\",\"networks\":{\"available\":[\"");
    out.push_str(brand);
    out.push_str(
        "\"],\"preferred\":null},\"three_d_secure_usage\":{\"supported\":true},\"wallet\":null}",
    );
}
