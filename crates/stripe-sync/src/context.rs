//! The shared context of one account: its Stripe client, and the database that holds its copy.

use crate::account::{AccountId, Mode};
use crate::memory::MemoryBudget;
use crate::postgres::{Database, PostgresError, Statements, WriteOutcome, WriteRequest};
use crate::stripe::StripeClient;

/// One account and the copy that holds it. Clones share everything.
#[derive(Clone)]
pub(crate) struct AccountContext {
    pub(crate) client: StripeClient,
    pub(crate) database: Database,
    pub(crate) statements: Statements,
    pub(crate) memory: MemoryBudget,
    pub(crate) account: AccountId,
    pub(crate) mode: Mode,
}

impl AccountContext {
    /// Writes rows outside of a slice, and retries transient errors.
    pub(crate) async fn write(
        &self,
        request: WriteRequest<'_>,
    ) -> Result<WriteOutcome, PostgresError> {
        let request = WriteRequest { account: self.account.as_str(), ..request };
        self.database.write_with_retries(&self.statements, &request).await
    }
}
