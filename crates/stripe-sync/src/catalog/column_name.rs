//! The name of a column to exclude. Names are checked against the catalog, because a misspelled
//! name would exclude nothing.

use std::fmt;

use super::catalog_file::Catalog;
use super::table::Table;

/// The engine's own columns in every table of rows.
const SYSTEM_COLUMNS: [&str; 4] = ["_account_id", "_extra", "last_synced_at", "updated_at"];

/// A column of a table, as in `customers.email`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ColumnName {
    pub(crate) table: String,
    pub(crate) column: String,
}

/// Why a text is not the name of a column that can be excluded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ColumnError {
    /// Not of the form `table.column`.
    #[error("{0:?} is not a column; the form is TABLE.COLUMN, as in customers.email")]
    Form(String),
    /// No table, object or alias of that name.
    #[error("there is no table {0:?}")]
    Table(String),
    /// The table has no such column.
    #[error("{table} has no column {column:?}")]
    Column {
        /// The table's name in the catalog.
        table: String,
        /// As typed.
        column: String,
    },
    /// The engine needs the column.
    #[error("{table}.{column} cannot be excluded: {reason}")]
    Needed {
        /// The table's name in the catalog.
        table: String,
        /// The column's name in the catalog.
        column: String,
        /// Why the engine needs it.
        reason: &'static str,
    },
}

impl ColumnName {
    /// Parses `table.column`. The table can have any name of its object.
    ///
    /// # Errors
    /// See [`ColumnError`].
    pub fn parse(text: &str) -> Result<ColumnName, ColumnError> {
        let text = text.trim();
        let form = || ColumnError::Form(text.to_owned());
        // The name of an object can contain a dot, as in checkout.session.
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

/// The columns of a table that can be excluded. The table can have any of its names; `None` if
/// there is no such table.
pub fn columns_of(table: &str) -> Option<Vec<&'static str>> {
    let table = Catalog::get().any_by_name(table)?;
    let names = table.columns.iter().map(|c| c.name.as_str());
    Some(names.filter(|name| needed(table, name).is_none()).collect())
}

/// The names of all tables, including those without a list endpoint.
pub fn tables() -> Vec<&'static str> {
    Catalog::get().tables.iter().map(|t| t.name.as_str()).collect()
}

/// Why the engine needs a column, if it does.
fn needed(table: &Table, column: &str) -> Option<&'static str> {
    let is_created =
        table.list.as_ref().and_then(|list| list.created.as_deref()).is_some_and(|c| c == column);
    let is_parent = table.parent.as_ref().is_some_and(|parent| parent.column == column);
    match column {
        "id" => Some("it is the key of the row"),
        "object" => Some("it is the type of the object"),
        "deleted" if table.columns.iter().any(|c| c.name == "deleted") => {
            Some("it marks objects that were deleted in Stripe")
        }
        "_extra" => {
            Some("it holds the properties that have no column; exclude columns by their own names")
        }
        name if SYSTEM_COLUMNS.contains(&name) => Some("it is a system column of stripe-sync"),
        _ if is_created => Some("backfills with a range filter by it"),
        _ if is_parent => Some("it is the ID of the parent object"),
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
    fn a_table_can_have_any_of_its_names() {
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
    fn columns_that_the_engine_needs_cannot_be_excluded() {
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
        assert_eq!(parsed("charges.id"), "charges.id cannot be excluded: it is the key of the row");
        assert_eq!(parsed("charges.deleted"), "charges has no column \"deleted\"");
    }

    #[test]
    fn every_other_column_can_be_excluded() {
        for table in tables() {
            for column in columns_of(table).expect("a table") {
                let name = format!("{table}.{column}");
                assert_eq!(parsed(&name), name);
            }
        }
    }
}
