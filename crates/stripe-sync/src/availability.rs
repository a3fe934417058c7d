//! What a refused first page says of its stream: denied, not available on this account, or failed.
//! One rule for the backfill and for `check`; never decided on a message's text.

use crate::catalog::Table;
use crate::stripe::StripeError;

/// What became of a stream whose first page was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The key lacks a permission.
    Denied,
    /// Stripe does not offer this list to this account (FACTS 11), unless the stream has been
    /// read before: then it is a failure.
    NotAvailable,
    /// Anything else.
    Failed,
}

/// Lists that every account has, whatever products are enabled on it: a 400 of theirs is a
/// failure even if the stream never had a row. Lists of products that have to be enabled (Issuing,
/// Treasury, Connect, Terminal, ...), that depend on the country, or that older API versions do
/// not know, are missing here.
const EVERY_ACCOUNT: [&str; 31] = [
    "balance_transaction",
    "charge",
    "checkout.session",
    "country_spec",
    "coupon",
    "credit_note",
    "customer",
    "dispute",
    "event",
    "file",
    "file_link",
    "invoice",
    "invoiceitem",
    "payment_intent",
    "payment_link",
    "payment_method",
    "payout",
    "plan",
    "price",
    "product",
    "promotion_code",
    "quote",
    "refund",
    "setup_intent",
    "shipping_rate",
    "subscription",
    "subscription_schedule",
    "tax_code",
    "tax_id",
    "tax_rate",
    "webhook_endpoint",
];

/// Judges the refusal of a stream's first page, asked without cursor.
pub(crate) fn judge_first_page(table: &Table, error: &StripeError) -> Refusal {
    if error.is_denied() {
        Refusal::Denied
    } else if error.is_not_available() && !EVERY_ACCOUNT.contains(&table.object.as_str()) {
        Refusal::NotAvailable
    } else {
        Refusal::Failed
    }
}

/// What people read of a refusal.
pub(crate) fn explain(refusal: Refusal, error: &StripeError) -> String {
    match (refusal, error.missing_permission(), &error.message) {
        (Refusal::Denied, Some(missing), _) => format!("the key lacks the permission {missing}"),
        (Refusal::NotAvailable, _, Some(said)) => format!("not available on this account: {said}"),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;

    #[test]
    fn every_name_is_a_stream() {
        for object in EVERY_ACCOUNT {
            assert!(Catalog::get().streams().any(|table| table.object == object), "{object}");
        }
    }
}
