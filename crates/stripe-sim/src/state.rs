//! The state of a running simulator that all connections share.

use crate::account::Account;
use crate::fault::Script;
use crate::idempotency::Idempotency;
use crate::options::SimOptions;
use crate::rate::Limiter;
use crate::record::Record;

pub(crate) struct SimState {
    pub(crate) account: Account,
    pub(crate) options: SimOptions,
    pub(crate) limiter: Limiter,
    pub(crate) record: Record,
    pub(crate) script: Script,
    pub(crate) idempotency: Idempotency,
}
