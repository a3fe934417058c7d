//! Payment intents, charges, refunds and disputes. Their amounts are consistent.

use super::balance::{amount_refunded, charge_amount, charge_failed, refund_amount};
use super::{WriteValue, text};
use crate::catalog::catalog;
use crate::collection::Key;
use crate::expand::Expand;
use crate::json;
use crate::relation::Step;
use crate::view::{ObjectSeed, View};

pub(super) fn custom(object: &str, name: &str) -> Option<WriteValue> {
    Some(match (object, name) {
        ("charge", "amount") => {
            |view, seed, _, out| json::int(out, charge_amount(view, seed.key.index))
        }
        ("charge", "amount_captured") => |view, seed, _, out| {
            json::int(
                out,
                if charge_failed(view, seed.key.index) {
                    0
                } else {
                    charge_amount(view, seed.key.index)
                },
            );
        },
        ("charge", "amount_refunded") => {
            |view, seed, _, out| json::int(out, amount_refunded(view, seed.key.index))
        }
        ("charge", "refunded") => |view, seed, _, out| {
            json::boolean(
                out,
                amount_refunded(view, seed.key.index) == charge_amount(view, seed.key.index),
            );
        },
        ("charge", "captured" | "paid") => {
            |view, seed, _, out| json::boolean(out, !charge_failed(view, seed.key.index))
        }
        ("charge", "status") => |view, seed, _, out| {
            out.push_str(if charge_failed(view, seed.key.index) {
                "\"failed\""
            } else {
                "\"succeeded\""
            });
        },
        ("charge", "failure_code") => |view, seed, _, out| {
            out.push_str(if charge_failed(view, seed.key.index) {
                "\"card_declined\""
            } else {
                "null"
            });
        },
        ("charge", "failure_message") => |view, seed, _, out| {
            out.push_str(if charge_failed(view, seed.key.index) {
                "\"Your card was declined.\""
            } else {
                "null"
            });
        },
        ("charge", "disputed") => |view, seed, _, out| {
            let dispute = catalog().kind("dispute").map(Step::Newest);
            let found = dispute
                .and_then(|step| view.account.relations.follow(seed.kind, seed.key.index, &[step]));
            json::boolean(out, found.is_some());
        },
        ("charge", "outcome") => outcome,
        ("charge", "payment_method_details") => card_details,
        ("charge", "receipt_url") => |_, seed, _, out| {
            text::token(out, "https://pay.stripe.test/receipts/payment/", seed.draw(2))
        },
        (
            "charge" | "payment_intent",
            "transfer_data" | "on_behalf_of" | "transfer_group" | "source" | "level3",
        )
        | (
            "charge",
            "transfer"
            | "failure_balance_transaction"
            | "receipt_number"
            | "application_fee_amount",
        )
        | (
            "payment_intent",
            "last_payment_error"
            | "next_action"
            | "processing"
            | "application_fee_amount"
            | "managed_payments",
        )
        | (
            "refund",
            "failure_balance_transaction"
            | "transfer_reversal"
            | "source_transfer_reversal"
            | "next_action",
        )
        | (
            "setup_intent",
            "last_setup_error" | "next_action" | "latest_attempt" | "mandate"
            | "single_use_mandate",
        ) => |_, _, _, out| out.push_str("null"),
        ("charge", "fraud_details") => |_, _, _, out| out.push_str("{}"),
        ("payment_intent", "amount") => {
            |view, seed, _, out| json::int(out, intent_amount(view, seed))
        }
        ("payment_intent", "amount_received") => |view, seed, _, out| {
            json::int(
                out,
                if intent_status(view, seed) == "succeeded" {
                    intent_amount(view, seed)
                } else {
                    0
                },
            );
        },
        ("payment_intent", "amount_capturable") => |_, _, _, out| out.push('0'),
        ("payment_intent", "amount_details") => amount_details,
        ("payment_intent", "status") => |view, seed, _, out| {
            out.push('"');
            out.push_str(intent_status(view, seed));
            out.push('"');
        },
        ("payment_intent", "canceled_at" | "cancellation_reason") => {
            |_, _, _, out| out.push_str("null")
        }
        ("payment_intent" | "setup_intent", "client_secret") => |view, seed, _, out| {
            out.push('"');
            view.write_id(seed.key, out);
            out.push_str("_secret_");
            text::hex(out, seed.draw(3));
            out.push('"');
        },
        ("payment_intent" | "setup_intent", "payment_method_types") => {
            |_, _, _, out| out.push_str("[\"card\",\"link\"]")
        }
        ("payment_intent" | "setup_intent" | "checkout.session", "payment_method_options") => {
            |_, _, _, out| {
                out.push_str("{\"card\":{\"installments\":null,\"mandate_options\":null,\"network\":null,\"request_three_d_secure\":\"automatic\"},\"link\":{\"persistent_token\":null}}");
            }
        }
        ("payment_intent", "automatic_payment_methods") => {
            |_, _, _, out| out.push_str("{\"allow_redirects\":\"always\",\"enabled\":true}")
        }
        ("refund", "amount") => {
            |view, seed, _, out| json::int(out, refund_amount(view, seed.key.index))
        }
        ("refund", "status") => |_, _, _, out| out.push_str("\"succeeded\""),
        ("refund", "destination_details") => |_, _, _, out| {
            out.push_str("{\"card\":{\"reference_status\":\"pending\",\"reference_type\":\"acquirer_reference_number\",\"type\":\"refund\"},\"type\":\"card\"}");
        },
        ("dispute", "amount") => |view, seed, _, out| {
            let steps = view.account.relations.path(seed.kind, "charge").unwrap_or(&[]);
            let charge = view.account.relations.follow(seed.kind, seed.key.index, steps);
            json::int(out, charge.map_or(1_000, |(_, index)| charge_amount(view, index)));
        },
        ("review", "open") => |_, seed, _, out| json::boolean(out, review_open(seed)),
        ("review", "closed_reason") => {
            |_, seed, _, out| out.push_str(if review_open(seed) { "null" } else { "\"approved\"" })
        }
        ("quote", "computed") => computed,
        _ => return None,
    })
}

/// Whether a review is open. Two out of three are, and lists contain only these.
fn review_open(seed: &ObjectSeed) -> bool {
    !seed.draw(4).is_multiple_of(3)
}

fn latest_charge(view: &View<'_>, seed: &ObjectSeed) -> Option<u64> {
    let steps = view.account.relations.path(seed.kind, "latest_charge")?;
    view.account.relations.follow(seed.kind, seed.key.index, steps).map(|(_, index)| index)
}

fn intent_amount(view: &View<'_>, seed: &ObjectSeed) -> i64 {
    latest_charge(view, seed).map_or(1_500, |charge| charge_amount(view, charge))
}

fn intent_status(view: &View<'_>, seed: &ObjectSeed) -> &'static str {
    match latest_charge(view, seed) {
        Some(charge) if !charge_failed(view, charge) => "succeeded",
        Some(_) => "requires_payment_method",
        None => ["canceled", "requires_payment_method", "requires_action", "processing"]
            [seed.draw(5) as usize % 4],
    }
}

fn outcome(view: &View<'_>, seed: &ObjectSeed, _: &Expand, out: &mut String) {
    if charge_failed(view, seed.key.index) {
        return out.push_str("{\"advice_code\":\"try_again_later\",\"network_advice_code\":null,\"network_decline_code\":\"51\",\"network_status\":\"declined_by_network\",\"reason\":\"insufficient_funds\",\"risk_level\":\"normal\",\"risk_score\":34,\"seller_message\":\"The bank returned the decline code `insufficient_funds`.\",\"type\":\"issuer_declined\"}");
    }
    out.push_str("{\"advice_code\":null,\"network_advice_code\":null,\"network_decline_code\":null,\"network_status\":\"approved_by_network\",\"reason\":null,\"risk_level\":\"normal\",\"risk_score\":");
    json::int(out, (seed.draw(6) % 65) as i64);
    out.push_str(",\"seller_message\":\"Payment complete.\",\"type\":\"authorized\"}");
}

fn card_details(view: &View<'_>, seed: &ObjectSeed, _: &Expand, out: &mut String) {
    let hash = seed.draw(7);
    let brand = ["visa", "mastercard", "amex"][(hash % 3) as usize];
    out.push_str("{\"card\":{\"amount_authorized\":");
    json::int(out, charge_amount(view, seed.key.index));
    out.push_str(",\"authorization_code\":\"");
    json::int(out, (hash >> 8) as i64 % 900_000 + 100_000);
    out.push_str("\",\"brand\":\"");
    out.push_str(brand);
    out.push_str("\",\"checks\":{\"address_line1_check\":null,\"address_postal_code_check\":\"pass\",\"cvc_check\":\"pass\"},\"country\":\"US\",\"exp_month\":");
    json::int(out, (hash >> 16) as i64 % 12 + 1);
    out.push_str(
        ",\"exp_year\":2031,\"extended_authorization\":{\"status\":\"disabled\"},\"fingerprint\":",
    );
    text::token(out, "", hash);
    out.push_str(",\"funding\":\"credit\",\"incremental_authorization\":{\"status\":\"unavailable\"},\"installments\":null,\"last4\":\"");
    json::int(out, (hash >> 24) as i64 % 9_000 + 1_000);
    out.push_str(
        "\",\"mandate\":null,\"multicapture\":{\"status\":\"unavailable\"},\"network\":\"",
    );
    out.push_str(brand);
    out.push_str("\",\"network_token\":{\"used\":false},\"network_transaction_id\":");
    text::token(out, "", hash ^ 1);
    out.push_str(",\"overcapture\":{\"maximum_amount_capturable\":");
    json::int(out, charge_amount(view, seed.key.index));
    out.push_str(",\"status\":\"unavailable\"},\"regulated_status\":\"unregulated\",\"three_d_secure\":null,\"wallet\":null},\"type\":\"card\"}");
}

fn amount_details(view: &View<'_>, seed: &ObjectSeed, expand: &Expand, out: &mut String) {
    out.push_str("{\"tip\":{}");
    if let Some(nested) = expand.get("line_items") {
        write_nested_list(view, seed, "amount_details.line_items", "line_items", nested, out);
    }
    out.push('}');
}

fn computed(view: &View<'_>, seed: &ObjectSeed, expand: &Expand, out: &mut String) {
    out.push_str("{\"recurring\":null,\"upfront\":{\"amount_subtotal\":0,\"amount_total\":0");
    write_nested_list(
        view,
        seed,
        "computed.upfront.line_items",
        "line_items",
        expand.nested("upfront").nested("line_items"),
        out,
    );
    out.push_str(
        ",\"total_details\":{\"amount_discount\":0,\"amount_shipping\":0,\"amount_tax\":0}}}",
    );
}

/// Appends an embedded list as a member of a nested object, if the type has the list.
fn write_nested_list(
    view: &View<'_>,
    seed: &ObjectSeed,
    path: &str,
    name: &str,
    expand: &Expand,
    out: &mut String,
) {
    let Some(list) = super::EmbeddedList::new(seed.kind, path) else { return };
    out.push_str(",\"");
    out.push_str(name);
    out.push_str("\":");
    list.write(view, Key { sub: 0, ..seed.key }, expand, out);
}
