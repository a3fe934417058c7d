//! The name of a column that somebody wants left out: checked against the catalog, so that a slip
//! of the finger does not leave a column in.

use std::fmt;

use super::{Catalog, Table};

/// Columns of the engine's own, beside those of the catalog.
const OWN: [&str; 4] = ["_account_id", "_extra", "last_synced_at", "updated_at"];

/// A column of one of the tables, as in `customers.email`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ColumnName {
    pub(crate) table: String,
    pub(crate) column: String,
}

/// Why a text names no column that can be left out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ColumnError {
    /// Not of the form `table.column`.
    #[error("{0:?} is not a column; write it like customers.email")]
    Form(String),
    /// No table, object or alias of that name.
    #[error("there is no table {0:?}")]
    Table(String),
    /// The table is there, the column is not.
    #[error("{table} has no column {column:?}")]
    Column {
        /// As the catalog names it.
        table: String,
        /// As typed.
        column: String,
    },
    /// The engine cannot do without it.
    #[error("{table}.{column} cannot be left out: {reason}")]
    Needed {
        /// As the catalog names it.
        table: String,
        /// As the catalog names it.
        column: String,
        /// What it is needed for.
        reason: &'static str,
    },
}

impl ColumnName {
    /// Reads `table.column`; the table by any of the names that objects have.
    ///
    /// # Errors
    /// See [`ColumnError`].
    pub fn parse(text: &str) -> Result<ColumnName, ColumnError> {
        let text = text.trim();
        let form = || ColumnError::Form(text.to_owned());
        // An object such as checkout.session has a dot of its own.
        let (table, column) = text.rsplit_once('.').ok_or_else(form)?;
        if table.is_empty() || column.is_empty() {
            return Err(form());
        }
        let found = Catalog::get()
            .any_by_name(table)
            .ok_or_else(|| ColumnError::Table(table.to_owned()))?;
        let column = column.to_ascii_lowercase();
        if let Some(reason) = needed(found, &column) {
            return Err(ColumnError::Needed { table: found.name.clone(), column, reason });
        }
        match found.columns.iter().any(|c| c.name == column) {
            true => Ok(ColumnName { table: found.name.clone(), column }),
            false => Err(ColumnError::Column { table: found.name.clone(), column }),
        }
    }

    /// The table.
    pub fn table(&self) -> &str {
        &self.table
    }

    /// The column.
    pub fn column(&self) -> &str {
        &self.column
    }
}

impl fmt::Display for ColumnName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.table, self.column)
    }
}

/// The columns of a table that can be left out, the table by any of its names; `None` if there is
/// no such table.
pub fn columns_of(table: &str) -> Option<Vec<&'static str>> {
    let table = Catalog::get().any_by_name(table)?;
    let names = table.columns.iter().map(|c| c.name.as_str());
    Some(names.filter(|name| needed(table, name).is_none()).collect())
}

/// The names of all tables, also of those without a list of their own.
pub fn tables() -> Vec<&'static str> {
    Catalog::get().tables.iter().map(|t| t.name.as_str()).collect()
}

fn needed(table: &Table, column: &str) -> Option<&'static str> {
    let is_created =
        table.list.as_ref().and_then(|list| list.created.as_deref()).is_some_and(|c| c == column);
    let is_parent = table.parent.as_ref().is_some_and(|parent| parent.column == column);
    match column {
        "id" => Some("it is the key of the row"),
        "object" => Some("it says what the row is"),
        "deleted" if table.columns.iter().any(|c| c.name == "deleted") => {
            Some("it marks what is gone from Stripe")
        }
        "_extra" => Some("it holds what has no column; leave out columns by their own names"),
        own if OWN.contains(&own) => Some("it is stripe-sync's own"),
        _ if is_created => Some("ranges go by it"),
        _ if is_parent => Some("it leads to the object that the row belongs to"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> String {
        ColumnName::parse(text).map_or_else(|e| e.to_string(), |name| name.to_string())
    }

    #[test]
    fn tables_go_by_all_their_names() {
        for (text, name) in [
            ("customers.email", "customers.email"),
            (" customer.Email ", "customers.email"),
            ("checkout.session.customer_details", "checkout_sessions.customer_details"),
            ("checkout_sessions.customer_details", "checkout_sessions.customer_details"),
            ("invoice_line_items.description", "invoice_line_items.description"),
        ] {
            assert_eq!(parsed(text), name);
        }
    }

    #[test]
    fn what_cannot_be_left_out_is_named_with_its_reason() {
        for text in [
            "email",
            "customers.",
            ".email",
            "custmers.email",
            "customers.emial",
            "customers.id",
            "customers.object",
            "customers.created",
            "customers.deleted",
            "customers._account_id",
            "customers._extra",
            "invoiceitems.date",
            "invoice_line_items.invoice",
        ] {
            assert!(ColumnName::parse(text).is_err(), "{text}");
        }
        assert_eq!(parsed("charges.id"), "charges.id cannot be left out: it is the key of the row");
        assert_eq!(parsed("charges.deleted"), "charges has no column \"deleted\"");
    }

    #[test]
    fn every_other_column_can() {
        for table in tables() {
            for column in columns_of(table).expect("a table") {
                let name = format!("{table}.{column}");
                assert_eq!(parsed(&name), name);
            }
        }
    }
}
