//! Statements that delete rows or mark them as deleted. `remover` runs them.

use super::upsert::Statements;
use crate::catalog::Table;
use crate::postgres::error::PostgresError;
use crate::postgres::error_class::ErrorClass;

/// The keys of a removal as a row set `e`; `key` is an id of a row, or of its parent.
pub(super) const KEYS: &str = "unnest($1::text[], $2::timestamptz[]) as e(key, stamp)";

/// Which rows `t` of a table are deleted or marked as deleted.
pub(super) struct Removal {
    pub(super) table: &'static Table,
    /// What the error says was attempted.
    pub(super) doing: &'static str,
    /// Why the row should not exist.
    pub(super) why: &'static str,
    /// The column that is compared with the keys, quoted.
    pub(super) column: String,
    /// A further condition on `t` and `e.stamp`. `$3` is the account.
    pub(super) condition: String,
    /// Marks rows instead of deleting them.
    pub(super) mark: bool,
}

impl Removal {
    pub(super) fn sql(&self, statements: &Statements, column: &str) -> String {
        let name = statements.names.table(&self.table.name);
        let condition = format!("t.{column} = e.key and t._account_id = $3 and {}", self.condition);
        match self.mark {
            true => format!(
                "update {name} t set deleted = true, updated_at = now(),
                        last_synced_at = greatest(t.last_synced_at, e.stamp)
                 from {KEYS} where {condition} returning t.id"
            ),
            false => {
                format!("delete from {name} t using {KEYS} where {condition} returning t.id")
            }
        }
    }

    /// Finds the ids of the rows, each with the stamp as of which it should not exist.
    pub(super) fn candidates(&self, statements: &Statements) -> String {
        self.select(statements, &self.column, "")
    }

    /// Finds the rows that still exist, or are not marked, after the statement. `column` is that of
    /// the statement.
    pub(super) fn remaining(&self, statements: &Statements, column: &str) -> String {
        let unmarked = if self.mark { " and t.deleted is distinct from true" } else { "" };
        self.select(statements, column, unmarked)
    }

    fn select(&self, statements: &Statements, column: &str, further: &str) -> String {
        format!(
            "select t.id, max(e.stamp) from {} t, {KEYS}
             where t.{column} = e.key and t._account_id = $3 and {}{further}
             group by t.id order by t.id",
            statements.names.table(&self.table.name),
            self.condition
        )
    }

    pub(super) fn error(&self, error: &tokio_postgres::Error) -> PostgresError {
        PostgresError::new(self.attempt(), error).of_removed_rows().of_table(&self.table.name)
    }

    /// The error if a row remains although the server accepted the statement.
    pub(super) fn skipped(&self) -> PostgresError {
        let message = "a trigger, rule or row-level security policy on the table prevents it \
                       without an error";
        PostgresError::own(self.attempt(), message, ErrorClass::RowRefused)
    }

    fn attempt(&self) -> String {
        format!("{} {}", self.doing, self.table.name)
    }
}

/// Marks rows that should not exist: with a stamp later than any earlier observation, and as
/// deleted if the table has a column for that.
pub(super) fn mark(table: &Table, statements: &Statements) -> String {
    let deleted = match table.columns.iter().any(|column| column.name == "deleted") {
        true => "deleted = true, updated_at = now(), ",
        false => "",
    };
    format!(
        "update {} t set {deleted}last_synced_at = greatest(t.last_synced_at, e.stamp)
         from {KEYS} where t.id = e.key and t._account_id = $3 returning t.id",
        statements.names.table(&table.name)
    )
}
