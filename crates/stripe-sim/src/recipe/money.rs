//! Balance transactions: each names the charge, refund, payout or other object that moved the money, which names it back.

use super::{Write, write_reference};
use crate::catalog::{Kind, catalog};
use crate::collection::Key;
use crate::expand::Expand;
use crate::json;
use crate::seed::mix2;
use crate::timeline::{muldiv, muldiv_up};
use crate::view::{Row, View};

/// The types that share the balance transactions out among themselves, in this order.
const PARTS: [&str; 6] = ["charge", "refund", "payout", "transfer", "topup", "application_fee"];

/// The numbers of those types.
pub(crate) fn money_parts() -> Vec<Kind> {
    PARTS.iter().filter_map(|name| catalog().kind(name)).collect()
}

pub(super) fn custom(object: &str, name: &str) -> Option<Write> {
    Some(match (object, name) {
        ("balance_transaction", "source") => |view, row, expand, out| {
            let wanted = (!expand.is_empty()).then_some(expand);
            write_reference(view, source(view, row), wanted, out);
        },
        ("balance_transaction", "type" | "reporting_category") => |view, row, _, out| {
            out.push('"');
            out.push_str(source(view, row).map_or("adjustment", |(kind, _)| catalog().name(kind)));
            out.push('"');
        },
        ("balance_transaction", "amount") => |view, row, _, out| json::int(out, gross(view, row)),
        ("balance_transaction", "fee") => |view, row, _, out| json::int(out, fee(view, row)),
        ("balance_transaction", "net") => {
            |view, row, _, out| json::int(out, gross(view, row) - fee(view, row))
        }
        ("balance_transaction", "fee_details") => fee_details,
        ("balance_transaction", "exchange_rate") => |_, row, _, out| {
            out.push_str(if row.draw(1) % 10 == 0 { "1.08234" } else { "null" });
        },
        ("balance_transaction", "status") => |_, _, _, out| out.push_str("\"available\""),
        ("balance_transaction", "available_on") => {
            |_, row, _, out| json::int(out, row.created + 2 * 86_400)
        }
        (_, "balance_transaction") if PARTS.contains(&object) => moved,
        ("payout" | "transfer" | "topup" | "application_fee", "amount") => {
            |view, row, _, out| json::int(out, plain_amount(view, row.kind, row.key.index))
        }
        ("payout", "status") => |_, _, _, out| out.push_str("\"paid\""),
        ("payout", "failure_balance_transaction" | "application_fee" | "trace_id") => {
            |_, _, _, out| out.push_str("null")
        }
        _ => return None,
    })
}

/// The object that a balance transaction comes from. A failed charge moves nothing.
fn source(view: &View<'_>, row: &Row) -> Option<(Kind, u64)> {
    let (which, index) = view.account.money.owner(row.key.index)?;
    let kind = catalog().kind(PARTS[which])?;
    (which != 0 || !charge_failed(view, index)).then_some((kind, index))
}

fn moved(view: &View<'_>, row: &Row, expand: &Expand, out: &mut String) {
    let name = catalog().name(row.kind);
    let failed = name == "charge" && charge_failed(view, row.key.index);
    let which = PARTS.iter().position(|part| *part == name).filter(|_| !failed);
    let place = which.and_then(|which| view.account.money.place(which, row.key.index));
    let target = place.and_then(|index| Some((catalog().kind("balance_transaction")?, index)));
    write_reference(view, target, (!expand.is_empty()).then_some(expand), out);
}

fn gross(view: &View<'_>, row: &Row) -> i64 {
    let Some((kind, index)) = source(view, row) else { return 0 };
    match catalog().name(kind) {
        "charge" => charge_amount(view, index),
        "refund" => -refund_amount(view, index),
        "payout" | "transfer" => -plain_amount(view, kind, index),
        _ => plain_amount(view, kind, index),
    }
}

fn fee(view: &View<'_>, row: &Row) -> i64 {
    match source(view, row) {
        Some((kind, index)) if catalog().name(kind) == "charge" => {
            charge_amount(view, index) * 29 / 1000 + 30
        }
        _ => 0,
    }
}

fn fee_details(view: &View<'_>, row: &Row, _: &Expand, out: &mut String) {
    let fee = fee(view, row);
    if fee == 0 {
        return out.push_str("[]");
    }
    out.push_str("[{\"amount\":");
    json::int(out, fee);
    out.push_str(",\"application\":null,\"currency\":\"usd\",\"description\":\"Stripe processing fees\",\"type\":\"stripe_fee\"}]");
}

fn plain_amount(view: &View<'_>, kind: Kind, index: u64) -> i64 {
    (mix2(view.account.seed ^ kind as u64, index) % 90_000) as i64 + 1_000
}

/// The amount of a charge, in cents.
pub(super) fn charge_amount(view: &View<'_>, charge: u64) -> i64 {
    (mix2(view.account.seed ^ 0xc4a, charge) % 2_000) as i64 * 5 + 500
}

/// The refunds of a charge: their indexes.
fn refunds(view: &View<'_>, charge: u64) -> std::ops::Range<u64> {
    let catalog = catalog();
    let (Some(refund), Some(kind)) = (catalog.kind("refund"), catalog.kind("charge")) else {
        return 0..0;
    };
    let (refunds, charges) =
        (view.account.relations.count(refund), view.account.relations.count(kind));
    if charge >= charges {
        return 0..0;
    }
    muldiv_up(charge, refunds, charges)..muldiv_up(charge + 1, refunds, charges).min(refunds)
}

/// Whether the charge was declined. One with refunds was not.
pub(super) fn charge_failed(view: &View<'_>, charge: u64) -> bool {
    mix2(view.account.seed ^ 0xfa1, charge) % 100 < 6 && refunds(view, charge).is_empty()
}

/// What a refund gives back: all of the charge if it is the only one and lucky, else its share.
pub(super) fn refund_amount(view: &View<'_>, refund: u64) -> i64 {
    let catalog = catalog();
    let (Some(kind), Some(charges)) = (catalog.kind("refund"), catalog.kind("charge")) else {
        return 0;
    };
    let charge =
        muldiv(refund, view.account.relations.count(charges), view.account.relations.count(kind));
    let siblings = refunds(view, charge);
    let count = siblings.end.saturating_sub(siblings.start).max(1) as i64;
    let full = count == 1 && mix2(view.account.seed ^ 0x4ef, refund).is_multiple_of(2);
    charge_amount(view, charge) / if full { 1 } else { count + 1 }
}

/// What was given back of a charge in all, leaving out refunds that the test deleted.
pub(super) fn amount_refunded(view: &View<'_>, charge: u64) -> i64 {
    let Some(collection) = catalog().kind("refund") else { return 0 };
    refunds(view, charge)
        .filter(|index| !view.overlay.is_deleted(Key { collection, index: *index, sub: 0 }))
        .map(|index| refund_amount(view, index))
        .sum()
}
