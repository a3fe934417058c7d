//! Columns that are left out for good: remembered in the schema, cleared where values are stored
//! already, and taken in again only when somebody says so.

use crate::catalog::{ColumnName, Exclusions};
use crate::error::Error;
use crate::postgres::{Database, Names};

/// What leaving columns out has done.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct ExclusionReport {
    /// The columns that were stored until then.
    pub columns: Vec<ColumnName>,
    /// Other columns that show the same property, or are computed of it, and lose it as well.
    pub also: Vec<ColumnName>,
    /// Rows that held a value.
    pub cleared_rows: u64,
}

/// Leaves columns out from now on and clears their values, also those that a command before did
/// not come round to.
pub(crate) async fn exclude(
    database: &Database,
    names: &Names,
    wanted: &[ColumnName],
) -> Result<ExclusionReport, Error> {
    let mut choice = database.left_out(names).await?;
    let is_new = |column: &&ColumnName| !choice.left_out.contains(column);
    let columns: Vec<ColumnName> = wanted.iter().filter(is_new).cloned().collect();
    if !columns.is_empty() {
        database.leave_out(names, &columns).await?;
        choice = database.left_out(names).await?;
    }
    if choice.uncleared.is_empty() {
        return Ok(ExclusionReport::default());
    }
    let rules = Exclusions::new(&choice.uncleared);
    let cleared_rows = database.clear(names, &rules).await?;
    database.is_cleared(names, &choice.uncleared).await?;
    let mut also = rules.touched();
    also.retain(|column| !choice.left_out.contains(column));
    Ok(ExclusionReport { columns, also, cleared_rows })
}

/// Stores columns again; those among `wanted` that were left out. What Stripe holds comes back as
/// rows are read again.
pub(crate) async fn include(
    database: &Database,
    names: &Names,
    wanted: &[ColumnName],
) -> Result<Vec<ColumnName>, Error> {
    let choice = database.left_out(names).await?;
    let columns: Vec<ColumnName> =
        wanted.iter().filter(|column| choice.left_out.contains(column)).cloned().collect();
    if !columns.is_empty() {
        database.take_in(names, &columns).await?;
    }
    Ok(columns)
}

/// The columns that the schema excludes.
pub(crate) async fn excluded(database: &Database, names: &Names) -> Result<Vec<ColumnName>, Error> {
    Ok(database.left_out(names).await?.left_out)
}
