//! The parameters that the changes of all tables share.

use deadpool_postgres::Transaction;

use super::failure::fail;
use crate::account::AccountId;
use crate::postgres::error::PostgresError;
use crate::postgres::names::Names;
use crate::postgres::schema::migrate;

/// The target of an adoption.
pub(super) struct AdoptionTarget<'a> {
    pub(super) names: &'a Names,
    /// The account of the rows.
    pub(super) account: &'a str,
    /// The server can compress with lz4.
    pub(super) lz4: bool,
}

impl<'a> AdoptionTarget<'a> {
    pub(super) async fn read(
        transaction: &Transaction<'_>,
        names: &'a Names,
        account: &'a AccountId,
    ) -> Result<AdoptionTarget<'a>, PostgresError> {
        let lz4 = migrate::offers_lz4(transaction).await.map_err(fail)?;
        Ok(AdoptionTarget { names, account: account.as_str(), lz4 })
    }
}
