//! Balance transactions. Each refers to the charge, refund, payout or other object that moved the
//! money, which in turn refers to the balance transaction.

use super::{WriteValue, write_reference};
use crate::catalog::{Kind, catalog};
use crate::collection::Key;
use crate::expand::Expand;
use crate::json;
use crate::seed::mix2;
use crate::timeline::{muldiv, muldiv_up};
use crate::view::{ObjectSeed, View};

/// The types of the sources of balance transactions. The order determines how the balance
/// transactions are distributed.
const BALANCE_SOURCES: [&str; 6] =
    ["charge", "refund", "payout", "transfer", "topup", "application_fee"];

/// The types of the sources of balance transactions.
pub(crate) fn balance_sources() -> Vec<Kind> {
    BALANCE_SOURCES.iter().filter_map(|name| catalog().kind(name)).collect()
}

pub(super) fn custom(object: &str, name: &str) -> Option<WriteValue> {
    Some(match (object, name) {
        ("balance_transaction", "source") => |view, seed, expand, out| {
            let nested = (!expand.is_empty()).then_some(expand);
            write_reference(view, source(view, seed), nested, out);
        },
        ("balance_transaction", "type" | "reporting_category") => |view, seed, _, out| {
            out.push('"');
            out.push_str(source(view, seed).map_or("adjustment", |(kind, _)| catalog().name(kind)));
            out.push('"');
        },
        ("balance_transaction", "amount") => |view, seed, _, out| json::int(out, gross(view, seed)),
        ("balance_transaction", "fee") => |view, seed, _, out| json::int(out, fee(view, seed)),
        ("balance_transaction", "net") => {
            |view, seed, _, out| json::int(out, gross(view, seed) - fee(view, seed))
        }
        ("balance_transaction", "fee_details") => fee_details,
        ("balance_transaction", "exchange_rate") => |_, seed, _, out| {
            out.push_str(if seed.draw(1) % 10 == 0 { "1.08234" } else { "null" });
        },
        ("balance_transaction", "status") => |_, _, _, out| out.push_str("\"available\""),
        ("balance_transaction", "available_on") => {
            |_, seed, _, out| json::int(out, seed.created + 2 * 86_400)
        }
        (_, "balance_transaction") if BALANCE_SOURCES.contains(&object) => balance_transaction,
        ("payout" | "transfer" | "topup" | "application_fee", "amount") => {
            |view, seed, _, out| json::int(out, plain_amount(view, seed.kind, seed.key.index))
        }
        ("payout", "status") => |_, _, _, out| out.push_str("\"paid\""),
        ("payout", "failure_balance_transaction" | "application_fee" | "trace_id") => {
            |_, _, _, out| out.push_str("null")
        }
        _ => return None,
    })
}

/// The source of a balance transaction. A failed charge has no balance transaction.
fn source(view: &View<'_>, seed: &ObjectSeed) -> Option<(Kind, u64)> {
    let (number, index) = view.account.balance_transactions.owner(seed.key.index)?;
    let kind = catalog().kind(BALANCE_SOURCES[number])?;
    (number != 0 || !charge_failed(view, index)).then_some((kind, index))
}

/// Writes the reference from a source to its balance transaction.
fn balance_transaction(view: &View<'_>, seed: &ObjectSeed, expand: &Expand, out: &mut String) {
    let name = catalog().name(seed.kind);
    let failed = name == "charge" && charge_failed(view, seed.key.index);
    let number = BALANCE_SOURCES.iter().position(|source| *source == name).filter(|_| !failed);
    let index = number
        .and_then(|number| view.account.balance_transactions.position(number, seed.key.index));
    let target = index.and_then(|index| Some((catalog().kind("balance_transaction")?, index)));
    write_reference(view, target, (!expand.is_empty()).then_some(expand), out);
}

fn gross(view: &View<'_>, seed: &ObjectSeed) -> i64 {
    let Some((kind, index)) = source(view, seed) else { return 0 };
    match catalog().name(kind) {
        "charge" => charge_amount(view, index),
        "refund" => -refund_amount(view, index),
        "payout" | "transfer" => -plain_amount(view, kind, index),
        _ => plain_amount(view, kind, index),
    }
}

fn fee(view: &View<'_>, seed: &ObjectSeed) -> i64 {
    match source(view, seed) {
        Some((kind, index)) if catalog().name(kind) == "charge" => {
            charge_amount(view, index) * 29 / 1000 + 30
        }
        _ => 0,
    }
}

fn fee_details(view: &View<'_>, seed: &ObjectSeed, _: &Expand, out: &mut String) {
    let fee = fee(view, seed);
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

/// The indexes of the refunds of a charge.
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

/// Whether a charge was declined. A charge with refunds was not declined.
pub(super) fn charge_failed(view: &View<'_>, charge: u64) -> bool {
    mix2(view.account.seed ^ 0xfa1, charge) % 100 < 6 && refunds(view, charge).is_empty()
}

/// The amount of a refund. Half of the refunds that are the only refund of their charge are full
/// refunds.
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

/// The total refunded amount of a charge, without refunds that the test has deleted.
pub(super) fn amount_refunded(view: &View<'_>, charge: u64) -> i64 {
    let Some(collection) = catalog().kind("refund") else { return 0 };
    refunds(view, charge)
        .filter(|index| !view.changes.is_deleted(Key { collection, index: *index, sub: 0 }))
        .map(|index| refund_amount(view, index))
        .sum()
}
