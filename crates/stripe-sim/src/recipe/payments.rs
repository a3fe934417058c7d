//! Payment intents, charges, refunds, disputes: one amount runs through all of them.

use super::money::{amount_refunded, charge_amount, charge_failed, refund_amount};
use super::{Write, words};
use crate::catalog::catalog;
use crate::collection::Key;
use crate::expand::Expand;
use crate::json;
use crate::relation::Step;
use crate::view::{Row, View};

pub(super) fn custom(object: &str, name: &str) -> Option<Write> {
    Some(match (object, name) {
        ("charge", "amount") => {
            |view, row, _, out| json::int(out, charge_amount(view, row.key.index))
        }
        ("charge", "amount_captured") => |view, row, _, out| {
            json::int(
                out,
                if charge_failed(view, row.key.index) {
                    0
                } else {
                    charge_amount(view, row.key.index)
                },
            );
        },
        ("charge", "amount_refunded") => {
            |view, row, _, out| json::int(out, amount_refunded(view, row.key.index))
        }
        ("charge", "refunded") => |view, row, _, out| {
            json::boolean(
                out,
                amount_refunded(view, row.key.index) == charge_amount(view, row.key.index),
            );
        },
        ("charge", "captured" | "paid") => {
            |view, row, _, out| json::boolean(out, !charge_failed(view, row.key.index))
        }
        ("charge", "status") => |view, row, _, out| {
            out.push_str(if charge_failed(view, row.key.index) {
                "\"failed\""
            } else {
                "\"succeeded\""
            });
        },
        ("charge", "failure_code") => |view, row, _, out| {
            out.push_str(if charge_failed(view, row.key.index) {
                "\"card_declined\""
            } else {
                "null"
            });
        },
        ("charge", "failure_message") => |view, row, _, out| {
            out.push_str(if charge_failed(view, row.key.index) {
                "\"Your card was declined.\""
            } else {
                "null"
            });
        },
        ("charge", "disputed") => |view, row, _, out| {
            let dispute = catalog().kind("dispute").map(Step::Newest);
            let found = dispute
                .and_then(|step| view.account.relations.follow(row.kind, row.key.index, &[step]));
            json::boolean(out, found.is_some());
        },
        ("charge", "outcome") => outcome,
        ("charge", "payment_method_details") => card_details,
        ("charge", "receipt_url") => |_, row, _, out| {
            words::token(out, "https://pay.stripe.test/receipts/payment/", row.draw(2))
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
            |view, row, _, out| json::int(out, intent_amount(view, row))
        }
        ("payment_intent", "amount_received") => |view, row, _, out| {
            json::int(
                out,
                if intent_status(view, row) == "succeeded" { intent_amount(view, row) } else { 0 },
            );
        },
        ("payment_intent", "amount_capturable") => |_, _, _, out| out.push('0'),
        ("payment_intent", "amount_details") => amount_details,
        ("payment_intent", "status") => |view, row, _, out| {
            out.push('"');
            out.push_str(intent_status(view, row));
            out.push('"');
        },
        ("payment_intent", "canceled_at" | "cancellation_reason") => {
            |_, _, _, out| out.push_str("null")
        }
        ("payment_intent" | "setup_intent", "client_secret") => |view, row, _, out| {
            out.push('"');
            view.write_id(row.key, out);
            out.push_str("_secret_");
            words::hex(out, row.draw(3));
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
            |view, row, _, out| json::int(out, refund_amount(view, row.key.index))
        }
        ("refund", "status") => |_, _, _, out| out.push_str("\"succeeded\""),
        ("refund", "destination_details") => |_, _, _, out| {
            out.push_str("{\"card\":{\"reference_status\":\"pending\",\"reference_type\":\"acquirer_reference_number\",\"type\":\"refund\"},\"type\":\"card\"}");
        },
        ("dispute", "amount") => |view, row, _, out| {
            let steps = view.account.relations.path(row.kind, "charge").unwrap_or(&[]);
            let charge = view.account.relations.follow(row.kind, row.key.index, steps);
            json::int(out, charge.map_or(1_000, |(_, index)| charge_amount(view, index)));
        },
        ("review", "open") => |_, row, _, out| json::boolean(out, review_open(row)),
        ("review", "closed_reason") => {
            |_, row, _, out| out.push_str(if review_open(row) { "null" } else { "\"approved\"" })
        }
        ("quote", "computed") => computed,
        _ => return None,
    })
}

/// Two of three reviews are still open; the list shows only those.
fn review_open(row: &Row) -> bool {
    !row.draw(4).is_multiple_of(3)
}

fn latest_charge(view: &View<'_>, row: &Row) -> Option<u64> {
    let steps = view.account.relations.path(row.kind, "latest_charge")?;
    view.account.relations.follow(row.kind, row.key.index, steps).map(|(_, index)| index)
}

fn intent_amount(view: &View<'_>, row: &Row) -> i64 {
    latest_charge(view, row).map_or(1_500, |charge| charge_amount(view, charge))
}

fn intent_status(view: &View<'_>, row: &Row) -> &'static str {
    match latest_charge(view, row) {
        Some(charge) if !charge_failed(view, charge) => "succeeded",
        Some(_) => "requires_payment_method",
        None => ["canceled", "requires_payment_method", "requires_action", "processing"]
            [row.draw(5) as usize % 4],
    }
}

fn outcome(view: &View<'_>, row: &Row, _: &Expand, out: &mut String) {
    if charge_failed(view, row.key.index) {
        return out.push_str("{\"advice_code\":\"try_again_later\",\"network_advice_code\":null,\"network_decline_code\":\"51\",\"network_status\":\"declined_by_network\",\"reason\":\"insufficient_funds\",\"risk_level\":\"normal\",\"risk_score\":34,\"seller_message\":\"The bank returned the decline code `insufficient_funds`.\",\"type\":\"issuer_declined\"}");
    }
    out.push_str("{\"advice_code\":null,\"network_advice_code\":null,\"network_decline_code\":null,\"network_status\":\"approved_by_network\",\"reason\":null,\"risk_level\":\"normal\",\"risk_score\":");
    json::int(out, (row.draw(6) % 65) as i64);
    out.push_str(",\"seller_message\":\"Payment complete.\",\"type\":\"authorized\"}");
}

fn card_details(view: &View<'_>, row: &Row, _: &Expand, out: &mut String) {
    let hash = row.draw(7);
    let brand = ["visa", "mastercard", "amex"][(hash % 3) as usize];
    out.push_str("{\"card\":{\"amount_authorized\":");
    json::int(out, charge_amount(view, row.key.index));
    out.push_str(",\"authorization_code\":\"");
    json::int(out, (hash >> 8) as i64 % 900_000 + 100_000);
    out.push_str("\",\"brand\":\"");
    out.push_str(brand);
    out.push_str("\",\"checks\":{\"address_line1_check\":null,\"address_postal_code_check\":\"pass\",\"cvc_check\":\"pass\"},\"country\":\"US\",\"exp_month\":");
    json::int(out, (hash >> 16) as i64 % 12 + 1);
    out.push_str(
        ",\"exp_year\":2031,\"extended_authorization\":{\"status\":\"disabled\"},\"fingerprint\":",
    );
    words::token(out, "", hash);
    out.push_str(",\"funding\":\"credit\",\"incremental_authorization\":{\"status\":\"unavailable\"},\"installments\":null,\"last4\":\"");
    json::int(out, (hash >> 24) as i64 % 9_000 + 1_000);
    out.push_str(
        "\",\"mandate\":null,\"multicapture\":{\"status\":\"unavailable\"},\"network\":\"",
    );
    out.push_str(brand);
    out.push_str("\",\"network_token\":{\"used\":false},\"network_transaction_id\":");
    words::token(out, "", hash ^ 1);
    out.push_str(",\"overcapture\":{\"maximum_amount_capturable\":");
    json::int(out, charge_amount(view, row.key.index));
    out.push_str(",\"status\":\"unavailable\"},\"regulated_status\":\"unregulated\",\"three_d_secure\":null,\"wallet\":null},\"type\":\"card\"}");
}

fn amount_details(view: &View<'_>, row: &Row, expand: &Expand, out: &mut String) {
    out.push_str("{\"tip\":{}");
    if let Some(below) = expand.get("line_items") {
        nested(view, row, "amount_details.line_items", "line_items", below, out);
    }
    out.push('}');
}

fn computed(view: &View<'_>, row: &Row, expand: &Expand, out: &mut String) {
    out.push_str("{\"recurring\":null,\"upfront\":{\"amount_subtotal\":0,\"amount_total\":0");
    nested(
        view,
        row,
        "computed.upfront.line_items",
        "line_items",
        expand.below("upfront").below("line_items"),
        out,
    );
    out.push_str(
        ",\"total_details\":{\"amount_discount\":0,\"amount_shipping\":0,\"amount_tax\":0}}}",
    );
}

fn nested(view: &View<'_>, row: &Row, path: &str, name: &str, below: &Expand, out: &mut String) {
    let Some(list) = super::Embedded::new(row.kind, path) else { return };
    out.push_str(",\"");
    out.push_str(name);
    out.push_str("\":");
    list.write(view, Key { sub: 0, ..row.key }, below, out);
}
