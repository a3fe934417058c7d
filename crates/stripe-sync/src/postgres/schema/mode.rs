//! The mode of a schema, live or test: bound at its first use and never changed.

use tokio_postgres::types::Type;

use crate::account::Mode;
use crate::postgres::connection::pool::Database;
use crate::postgres::error::PostgresError;
use crate::postgres::error_class::ErrorClass;
use crate::postgres::meta_keys::MODE;
use crate::postgres::names::Names;

impl Database {
    /// Binds the schema to a mode at its first use.
    ///
    /// # Errors
    /// The schema is bound to the other mode. Nothing has been changed then.
    pub(crate) async fn bind_mode(&self, names: &Names, mode: Mode) -> Result<(), PostgresError> {
        let fail =
            |e: tokio_postgres::Error| PostgresError::new("cannot read the schema's mode", &e);
        let client = self.get().await?;
        let meta = names.table("_meta");
        client
            .execute_typed(
                &format!(
                    "insert into {meta} (key, value) values ('{MODE}', $1) on conflict do nothing"
                ),
                &[(&mode.as_str(), Type::TEXT)],
            )
            .await
            .map_err(fail)?;
        let row = client
            .query_typed_one(&format!("select value from {meta} where key = '{MODE}'"), &[])
            .await
            .map_err(fail)?;
        let bound: String = row.get(0);
        if Mode::parse(&bound) == Some(mode) {
            return Ok(());
        }
        Err(PostgresError::other_mode(names, mode, &bound))
    }
}

impl PostgresError {
    /// The schema is bound to the other mode.
    pub(crate) fn other_mode(names: &Names, key: Mode, bound: &str) -> PostgresError {
        PostgresError::own(
            format!("this is a {key} key"),
            format!(
                "schema {} holds {bound} data, and both modes share one account id; \
                 use the {bound} key, or another --schema or --table-prefix for {key} data",
                names.quoted_schema()
            ),
            ErrorClass::Rejected,
        )
    }
}
