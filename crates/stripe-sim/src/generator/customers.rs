//! `id`, `created` and metadata of all types, and the properties of customers and their payment
//! methods: names, addresses, cards.

use super::{WriteValue, text};
use crate::catalog::catalog;
use crate::collection::Key;
use crate::expand::Expand;
use crate::json;
use crate::view::{ObjectSeed, View};

pub(super) fn custom(object: &str, name: &str) -> Option<WriteValue> {
    Some(match (object, name) {
        (_, "id") => |view, seed, _, out| view.write_quoted_id(seed.key, out),
        (_, "created" | "updated") | ("invoiceitem", "date") => {
            |_, seed, _, out| json::int(out, seed.created)
        }
        (_, "metadata") => |_, seed, _, out| text::metadata(out, seed.draw(1)),
        ("customer", "name") | (_, "customer_name") => {
            |_, seed, _, out| quoted(out, seed, text::name)
        }
        ("customer", "email") | ("invoice", "customer_email") => email,
        ("customer", "phone") => |_, seed, _, out| phone(out, seed.draw(2)),
        ("customer", "address") | ("invoice", "customer_address") => {
            |_, seed, _, out| text::address(out, seed.draw(3))
        }
        ("customer", "shipping")
        | ("invoice", "customer_shipping")
        | ("charge" | "payment_intent", "shipping") => shipping,
        ("customer", "balance") => |_, seed, _, out| {
            json::int(
                out,
                if seed.draw(4) % 10 == 0 { -((seed.draw(5) % 9_000) as i64) } else { 0 },
            )
        },
        ("customer", "delinquent") => |_, seed, _, out| json::boolean(out, seed.draw(6) % 25 == 0),
        ("customer", "discount") => |_, _, _, out| out.push_str("null"),
        ("customer", "invoice_prefix") => |_, seed, _, out| uppercase_hex(out, seed.draw(7)),
        ("customer", "invoice_settings") => invoice_settings,
        ("customer", "preferred_locales") => |_, seed, _, out| {
            out.push_str(["[]", "[\"en\"]", "[\"de\",\"en-GB\"]", "[]"][seed.draw(8) as usize % 4]);
        },
        ("customer", "tax_exempt") => |_, seed, _, out| {
            out.push_str(["\"none\"", "\"none\"", "\"reverse\""][seed.draw(9) as usize % 3])
        },
        ("customer", "test_clock") => |_, _, _, out| out.push_str("null"),
        ("payment_method" | "charge", "billing_details") => billing_details,
        ("payment_method", "type") => {
            |view, seed, _, out| out.push_str(payment_method_type(view, seed))
        }
        ("payment_method", "card") => |_, seed, _, out| card(seed, out),
        ("account", "charges_enabled" | "payouts_enabled" | "details_submitted") => {
            |_, _, _, out| out.push_str("true")
        }
        ("account", "email") => email,
        ("account", "type") => |_, _, _, out| out.push_str("\"express\""),
        _ => return None,
    })
}

fn quoted(out: &mut String, seed: &ObjectSeed, write: fn(&mut String, u64)) {
    out.push('"');
    write(out, seed.draw(10));
    out.push('"');
}

fn email(view: &View<'_>, seed: &ObjectSeed, _: &Expand, out: &mut String) {
    // An invoice contains the address of its customer, so that joins on it return rows.
    let mut customer = *seed;
    if catalog().name(seed.kind) == "invoice" {
        let steps = view.account.relations.path(seed.kind, "customer").unwrap_or(&[]);
        if let Some((kind, index)) = view.account.relations.follow(seed.kind, seed.key.index, steps)
        {
            customer = view.object_seed(Key { collection: kind, index, sub: 0 });
        }
    }
    out.push('"');
    text::email(out, customer.draw(11), customer.key.index);
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

fn uppercase_hex(out: &mut String, hash: u64) {
    out.push('"');
    let mut hex = String::with_capacity(16);
    text::hex(&mut hex, hash);
    out.push_str(&hex[..7].to_ascii_uppercase());
    out.push('"');
}

fn shipping(_: &View<'_>, seed: &ObjectSeed, _: &Expand, out: &mut String) {
    if !seed.draw(12).is_multiple_of(3) {
        return out.push_str("null");
    }
    out.push_str("{\"address\":");
    text::address(out, seed.draw(13));
    out.push_str(",\"name\":");
    quoted(out, seed, text::name);
    out.push_str(",\"phone\":");
    phone(out, seed.draw(14));
    out.push('}');
}

fn invoice_settings(view: &View<'_>, seed: &ObjectSeed, expand: &Expand, out: &mut String) {
    out.push_str("{\"custom_fields\":null,\"default_payment_method\":");
    let methods = catalog().kind("payment_method").map(crate::relation::Step::Newest);
    let target =
        methods.and_then(|step| view.account.relations.follow(seed.kind, seed.key.index, &[step]));
    super::write_reference(view, target, expand.get("default_payment_method"), out);
    out.push_str(",\"footer\":null,\"rendering_options\":null}");
}

fn billing_details(_: &View<'_>, seed: &ObjectSeed, _: &Expand, out: &mut String) {
    out.push_str("{\"address\":");
    text::address(out, seed.draw(15));
    out.push_str(",\"email\":\"");
    text::email(out, seed.draw(16), seed.key.index);
    out.push_str("\",\"name\":");
    quoted(out, seed, text::name);
    out.push_str(",\"phone\":");
    phone(out, seed.draw(17));
    out.push_str(",\"tax_id\":null}");
}

/// The type of a payment method: card, or the hidden type `custom` for some methods if the account
/// has these.
fn payment_method_type(view: &View<'_>, seed: &ObjectSeed) -> &'static str {
    if view.account.custom_payment_methods && seed.key.index % 20 == 7 {
        "\"custom\""
    } else {
        "\"card\""
    }
}

fn card(seed: &ObjectSeed, out: &mut String) {
    let hash = seed.draw(18);
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
    text::token(out, "", hash);
    out.push_str(",\"funding\":\"credit\",\"generated_from\":null,\"last4\":\"");
    json::int(out, (hash >> 16) as i64 % 9_000 + 1_000);
    out.push_str("\",\"networks\":{\"available\":[\"");
    out.push_str(brand);
    out.push_str(
        "\"],\"preferred\":null},\"three_d_secure_usage\":{\"supported\":true},\"wallet\":null}",
    );
}
