//! How many children each parent has.

use std::collections::HashMap;

use crate::collection::{CollectionId, collections};
use crate::seed::mix2;

/// The size of the child lists of one collection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sizes {
    pub(crate) low: u64,
    pub(crate) high: u64,
    /// Parents with a size of their own, by index.
    pub(crate) at: HashMap<u64, u64>,
}

impl Sizes {
    /// What an account has unless the builder says otherwise.
    pub(crate) fn standard(collection: CollectionId) -> Self {
        let shape = collections().get(collection);
        let (low, high) = match shape.name.as_str() {
            _ if shape.parent.is_none() => (0, 0),
            "lines" | "line_items" => (1, 3),
            "items" => (1, 2),
            "capabilities" => (2, 4),
            "list_items" => (0, 14),
            "preview_lines" => (1, 1),
            "persons"
            | "external_accounts"
            | "active_entitlements"
            | "tokens"
            | "setup_attempts" => (0, 2),
            "sources"
            | "tax_ids"
            | "reversals"
            | "refunds"
            | "balance_transactions"
            | "features" => (0, 1),
            "payment_attempt_records" | "owners" | "event_summaries" => (1, 2),
            "transactions" | "transaction_entries" | "received_credits" | "received_debits" => {
                (0, 4)
            }
            _ => (0, 1),
        };
        Self { low, high, at: HashMap::new() }
    }

    pub(crate) fn of(&self, seed: u64, collection: CollectionId, parent: u64) -> u64 {
        if !self.at.is_empty()
            && let Some(size) = self.at.get(&parent)
        {
            return *size;
        }
        if self.high <= self.low {
            return self.low;
        }
        self.low + mix2(seed ^ collection as u64, parent ^ 0x517e) % (self.high - self.low + 1)
    }
}
