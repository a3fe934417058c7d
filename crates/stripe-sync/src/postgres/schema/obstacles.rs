//! Errors for a schema that cannot be migrated.

use crate::postgres::error::PostgresError;
use crate::postgres::error_class::ErrorClass;
use crate::postgres::names::Names;

/// The error for relations that only their owner can correct, if there are any.
pub(super) fn conflicts(doing: &str, names: &Names, obstacles: &[String]) -> Option<PostgresError> {
    (!obstacles.is_empty()).then(|| {
        PostgresError::own(
            doing,
            format!("schema {} has conflicts: {}", names.quoted_schema(), first_five(obstacles)),
            ErrorClass::Rejected,
        )
        .with_hint(
            "nothing was changed; restore or rename the listed objects, or use another --schema or \
             --table-prefix",
        )
    })
}

/// The error for data tables that another program created.
pub(super) fn foreign_tables(doing: &str, names: &Names, foreign: &[String]) -> PostgresError {
    PostgresError::own(
        doing,
        format!(
            "schema {} has tables that stripe-sync did not create ({})",
            names.quoted_schema(),
            first_five(foreign)
        ),
        ErrorClass::Rejected,
    )
    .with_hint(
        "nothing was changed; if a TypeScript stripe-sync-engine created them, `stripe-sync \
         migrate` adopts them with every row, otherwise use another --schema or --table-prefix",
    )
}

/// The first five names of a list, and how many more there are.
pub(super) fn first_five(names: &[String]) -> String {
    let shown = names.iter().take(5).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len() {
        0..=5 => shown,
        count => format!("{shown} and {} more", count - 5),
    }
}
