//! What a rejected first page means for its stream: denied, not available on this account, or
//! failed.
//!
//! Backfill and `check` use the same rule. It never depends on the text of a message.

use crate::catalog::Table;
use crate::stripe::{StripeError, StripeErrorKind};

/// What the refusal of a first page means for the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RefusalClass {
    /// The key lacks a permission.
    Denied,
    /// Stripe does not offer this list to this account. The caller decides what that means for a
    /// stream that has been read before.
    NotAvailable,
    /// Anything else.
    Failed,
}

/// Lists that every account has, whatever products are enabled on it: status 400 for them is a
/// failure even if the stream never had a row. This excludes lists of products that have to be
/// enabled (Issuing, Treasury, Connect, Terminal, ...), lists that depend on the country, and lists
/// that older API versions do not have.
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

/// Classifies the refusal of a stream's first page, requested without a cursor.
pub(crate) fn classify_refusal(table: &Table, error: &StripeError) -> RefusalClass {
    if error.is_denied() {
        RefusalClass::Denied
    } else if error.is_not_available() && !EVERY_ACCOUNT.contains(&table.object.as_str()) {
        RefusalClass::NotAvailable
    } else {
        RefusalClass::Failed
    }
}

/// Whether Stripe rejects a stream's own list because this API version lists the objects of one
/// parent only, such as `/v1/payment_methods` without `customer`. They are then read from the lists
/// of the parents. Any other rejection is one of the list itself.
pub(crate) fn requires_parent(table: &Table, api_version: &str, error: &StripeError) -> bool {
    let lists = table.list.as_ref().and_then(|list| list.parent_lists_of(api_version));
    let Some(lists) = lists else { return false };
    error.status == Some(400)
        && error.kind == StripeErrorKind::InvalidRequest
        && match error.param.as_deref() {
            Some(param) => param == lists.property,
            None => error.code.as_deref() == Some("parameter_missing"),
        }
}

/// The reason for a refusal, for people.
pub(crate) fn describe_refusal(class: RefusalClass, error: &StripeError) -> String {
    match (class, error.missing_permission(), &error.message) {
        (RefusalClass::Denied, Some(missing), _) => {
            format!("the key lacks the permission {missing}")
        }
        (RefusalClass::NotAvailable, _, Some(message)) => {
            format!("not available on this account: {message}")
        }
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
