//! Excludes columns permanently: the schema records them, and values that are already stored are
//! cleared. A column is stored again only on request.

use crate::catalog::{ColumnName, Exclusions};
use crate::error::Error;
use crate::postgres::{Database, Names};

/// What excluding columns has changed.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExclusionReport {
    /// The columns that are excluded from now on.
    pub columns: Vec<ColumnName>,
    /// Other columns that contain the same property or are computed from it. Their values are
    /// removed as well.
    pub also: Vec<ColumnName>,
    /// How many rows held a value.
    pub cleared_rows: u64,
}

/// Excludes columns and clears their values, including those that an interrupted command did not
/// clear.
pub(crate) async fn exclude(
    database: &Database,
    names: &Names,
    requested: &[ColumnName],
) -> Result<ExclusionReport, Error> {
    let mut excluded = database.excluded_columns(names).await?;
    let is_new = |column: &&ColumnName| !excluded.columns.contains(column);
    let new: Vec<ColumnName> = requested.iter().filter(is_new).cloned().collect();
    if !new.is_empty() {
        database.exclude_columns(names, &new).await?;
        excluded = database.excluded_columns(names).await?;
    }
    if excluded.to_clear.is_empty() {
        return Ok(ExclusionReport::default());
    }
    let exclusions = Exclusions::new(&excluded.to_clear);
    let cleared_rows = database.clear_excluded_values(names, &exclusions).await?;
    database.mark_cleared(names, &excluded.to_clear).await?;
    let mut also = exclusions.affected();
    also.retain(|column| !excluded.columns.contains(column));
    Ok(ExclusionReport { columns: new, also, cleared_rows })
}

/// Stores columns again and returns those of `requested` that were excluded. Rows get their values
/// back when they are read again.
pub(crate) async fn include(
    database: &Database,
    names: &Names,
    requested: &[ColumnName],
) -> Result<Vec<ColumnName>, Error> {
    let excluded = database.excluded_columns(names).await?;
    let columns: Vec<ColumnName> =
        requested.iter().filter(|column| excluded.columns.contains(column)).cloned().collect();
    if !columns.is_empty() {
        database.include_columns(names, &columns).await?;
    }
    Ok(columns)
}

/// The excluded columns of the schema.
pub(crate) async fn excluded(database: &Database, names: &Names) -> Result<Vec<ColumnName>, Error> {
    Ok(database.excluded_columns(names).await?.columns)
}
