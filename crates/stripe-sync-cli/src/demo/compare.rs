//! Compares every table with the objects in the simulator: their IDs as sets, and each row with the content
//! of its object.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use stripe_sim::Account;
use stripe_sync::StripeSync;

use crate::failure::Failure;

/// The tables that are filled from nested lists: table, parent object, list, object of the items.
const NESTED: [(&str, &str, &str, &str); 4] = [
    ("invoice_line_items", "invoice", "lines", "line_item"),
    ("subscription_items", "subscription", "items", "subscription_item"),
    ("checkout_session_line_items", "checkout.session", "line_items", "item"),
    ("credit_note_line_items", "credit_note", "lines", "credit_note_line_item"),
];
/// The number of IDs listed for a difference.
const EXAMPLES: usize = 3;

/// One table compared with Stripe.
pub(super) struct Comparison {
    pub(super) table: String,
    pub(super) in_stripe: usize,
    pub(super) in_postgres: usize,
    /// IDs in Stripe but not in PostgreSQL.
    missing: Vec<String>,
    /// IDs in PostgreSQL but not in Stripe.
    extra: Vec<String>,
    /// The number of rows whose ID is already in the table.
    repeated: usize,
    /// Rows that do not show their whole object: the ID, and what differs.
    changed: Vec<String>,
}

/// A row: its ID, and what it does not show of its object.
struct Row {
    id: String,
    difference: Option<String>,
}

impl Comparison {
    fn of(table: &str, stripe: &BTreeSet<String>, rows: &[Row]) -> Comparison {
        let postgres: BTreeSet<String> = rows.iter().map(|row| row.id.clone()).collect();
        let in_stripe = rows.iter().filter(|row| stripe.contains(&row.id));
        let changed = in_stripe.filter_map(|row| {
            let difference = row.difference.as_ref()?;
            Some(format!("{} ({difference})", row.id))
        });
        Comparison {
            table: table.to_owned(),
            in_stripe: stripe.len(),
            in_postgres: rows.len(),
            missing: stripe.difference(&postgres).cloned().collect(),
            extra: postgres.difference(stripe).cloned().collect(),
            repeated: rows.len() - postgres.len(),
            changed: changed.collect(),
        }
    }

    pub(super) fn is_identical(&self) -> bool {
        self.missing.is_empty()
            && self.extra.is_empty()
            && self.changed.is_empty()
            && self.repeated == 0
    }

    /// Whether both sides are empty.
    pub(super) fn is_empty(&self) -> bool {
        self.in_stripe == 0 && self.in_postgres == 0
    }

    /// The differences, with a few IDs.
    pub(super) fn difference(&self) -> String {
        let mut text = String::new();
        for (ids, what) in [
            (&self.missing, "not in PostgreSQL"),
            (&self.extra, "not in Stripe"),
            (&self.changed, "with content that differs from Stripe's"),
        ] {
            if !ids.is_empty() {
                let examples = ids.iter().take(EXAMPLES).cloned().collect::<Vec<_>>().join(", ");
                text.push_str(&format!(
                    "{}: {} {what}, for example {examples}\n",
                    self.table,
                    ids.len()
                ));
            }
        }
        if self.repeated > 0 {
            text.push_str(&format!("{}: {} stored more than once\n", self.table, self.repeated));
        }
        text
    }

    pub(super) fn as_json(&self) -> Value {
        json!({
            "in_stripe": self.in_stripe,
            "in_postgres": self.in_postgres,
            "identical": self.is_identical(),
        })
    }
}

/// Compares every table of the catalog, those of nested lists last.
pub(super) async fn all_tables(
    account: &Account,
    sync: &StripeSync,
    schema: &str,
) -> Result<Vec<Comparison>, Failure> {
    let mut comparisons = Vec::new();
    for (object, table) in stripe_sync::objects() {
        let stripe: BTreeSet<String> = account.ids(object).collect();
        let rows = rows(account, sync, schema, table, object).await?;
        comparisons.push(Comparison::of(table, &stripe, &rows));
    }
    for (table, parent, list, object) in NESTED {
        let stripe: BTreeSet<String> =
            account.ids(parent).flat_map(|id| account.nested_ids(parent, &id, list)).collect();
        let rows = rows(account, sync, schema, table, object).await?;
        comparisons.push(Comparison::of(table, &stripe, &rows));
    }
    Ok(comparisons)
}

/// The rows of a table, each compared with its object.
async fn rows(
    account: &Account,
    sync: &StripeSync,
    schema: &str,
    table: &str,
    object: &str,
) -> Result<Vec<Row>, Failure> {
    let sql = format!("select id, to_jsonb(t) from \"{schema}\".\"{table}\" t");
    let result = sync.query(&sql).await?;
    let rows = result.rows.into_iter().filter_map(|row| {
        let mut values = row.into_iter().flatten();
        let (id, json) = (values.next()?, values.next()?);
        let difference = match serde_json::from_str(&json) {
            Ok(row) => account.row_difference(object, &id, &row),
            Err(error) => Some(error.to_string()),
        };
        Some(Row { id, difference })
    });
    Ok(rows.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compare(stripe: &[&str], postgres: &[&str]) -> Comparison {
        let stripe = stripe.iter().map(|id| (*id).to_owned()).collect();
        let row = |id: &&str| Row { id: (*id).to_owned(), difference: None };
        let rows: Vec<Row> = postgres.iter().map(row).collect();
        Comparison::of("customers", &stripe, &rows)
    }

    #[test]
    fn the_same_ids_in_any_order_are_identical() {
        assert!(compare(&["cus_1", "cus_2"], &["cus_2", "cus_1"]).is_identical());
        assert!(compare(&[], &[]).is_empty());
    }

    #[test]
    fn missing_and_extra_ids_are_found_even_if_the_counts_agree() {
        let comparison = compare(&["cus_1", "cus_2"], &["cus_1", "cus_3"]);
        assert!(!comparison.is_identical());
        assert_eq!(
            comparison.difference(),
            "customers: 1 not in PostgreSQL, for example cus_2\ncustomers: 1 not in Stripe, for example cus_3\n"
        );
        assert!(!compare(&["cus_1"], &[]).is_identical());
        assert!(!compare(&[], &["cus_1"]).is_identical());
    }

    #[test]
    fn an_id_that_is_stored_more_than_once_is_found() {
        let comparison = compare(&["cus_1"], &["cus_1", "cus_1"]);
        assert!(!comparison.is_identical());
        assert_eq!(comparison.difference(), "customers: 1 stored more than once\n");
    }

    #[test]
    fn a_row_with_other_content_is_found() {
        let stripe = ["cus_1", "cus_2"].map(str::to_owned).into();
        let row = |id: &str, difference: Option<&str>| Row {
            id: id.to_owned(),
            difference: difference.map(str::to_owned),
        };
        let rows = [row("cus_1", None), row("cus_2", Some("email differs"))];
        let comparison = Comparison::of("customers", &stripe, &rows);
        assert!(!comparison.is_identical());
        assert_eq!(
            comparison.difference(),
            "customers: 1 with content that differs from Stripe's, for example cus_2 (email differs)\n"
        );
    }
}
