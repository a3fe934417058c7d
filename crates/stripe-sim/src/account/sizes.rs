//! The number of items in the nested lists of each parent.

use std::collections::HashMap;

use crate::collection::{CollectionId, collections};
use crate::seed::mix2;

/// The sizes of the nested lists of one child collection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sizes {
    pub(crate) low: u64,
    pub(crate) high: u64,
    /// The sizes that were set for one parent, by the index of the parent.
    pub(crate) by_parent: HashMap<u64, u64>,
}

impl Sizes {
    /// The default sizes of a collection.
    pub(crate) fn default_of(collection: CollectionId) -> Self {
        let definition = collections().get(collection);
        let (low, high) = match definition.name.as_str() {
            _ if definition.parent.is_none() => (0, 0),
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
        Self { low, high, by_parent: HashMap::new() }
    }

    /// The size of the list of one parent.
    pub(crate) fn size(&self, seed: u64, collection: CollectionId, parent: u64) -> u64 {
        if !self.by_parent.is_empty()
            && let Some(size) = self.by_parent.get(&parent)
        {
            return *size;
        }
        if self.high <= self.low {
            return self.low;
        }
        self.low + mix2(seed ^ collection as u64, parent ^ 0x517e) % (self.high - self.low + 1)
    }
}
