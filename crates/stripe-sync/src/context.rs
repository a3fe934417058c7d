//! The shared context of one account: its Stripe client, and the database that holds its copy.

use crate::account::{AccountId, Mode};
use crate::catalog::Table;
use crate::memory::MemoryBudget;
use crate::postgres::{
    Database, ObjectNotes, PostgresError, RetryBudget, Statements, WriteOutcome, WriteRequest,
};
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
    /// Whether operations on a locked table are repeated until the outage limit. Otherwise the
    /// caller postpones them.
    pub(crate) waits_for_locks: bool,
}

impl AccountContext {
    /// The same context for the application of events, which postpones what needs a locked table.
    pub(crate) fn without_waiting_for_locks(self) -> AccountContext {
        AccountContext { waits_for_locks: false, ..self }
    }

    /// The same account, for a backfill: its requests are sent after those for events, and it waits
    /// for locks.
    pub(crate) fn with_backfill_priority(&self) -> AccountContext {
        let client = self.client.with_backfill_priority();
        AccountContext { client, waits_for_locks: true, ..self.clone() }
    }

    /// The same account, for events: its requests are sent before those of a backfill.
    pub(crate) fn with_live_priority(&self) -> AccountContext {
        AccountContext { client: self.client.with_live_priority(), ..self.clone() }
    }

    /// Writes rows outside a slice, and retries transient errors.
    pub(crate) async fn write(
        &self,
        request: WriteRequest<'_>,
    ) -> Result<WriteOutcome, PostgresError> {
        debug_assert!(request.position.is_none(), "a position is retried by re-reading the slice");
        let request = WriteRequest { account: self.account.as_str(), ..request };
        let mut budget = RetryBudget::new(&self.database);
        loop {
            match Box::pin(self.database.write(&self.statements, &request)).await {
                // Rows, deletions and complete lists are idempotent.
                Err(error) if self.wait_before_retry(&mut budget, &error).await => {}
                other => return other,
            }
        }
    }

    /// What the engine's tables say about one object.
    pub(crate) async fn object_notes(
        &self,
        table: &Table,
        id: &str,
    ) -> Result<ObjectNotes, PostgresError> {
        let (statements, account) = (&self.statements, self.account.as_str());
        let mut budget = RetryBudget::new(&self.database);
        loop {
            match Box::pin(self.database.object_notes(statements, account, table, id)).await {
                Err(error) if self.wait_before_retry(&mut budget, &error).await => {}
                other => return other,
            }
        }
    }

    async fn wait_before_retry(&self, budget: &mut RetryBudget, error: &PostgresError) -> bool {
        let is_postponed = error.locked_table.is_some() && !self.waits_for_locks;
        !is_postponed && budget.wait_before_retry(error).await
    }
}
