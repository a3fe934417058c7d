//! Connections to one database: the URL, TLS, the kind of server, the pool, time limits and
//! retries.

pub(in crate::postgres) mod cancellations;
pub(in crate::postgres) mod contended;
pub(in crate::postgres) mod lock_holders;
pub(in crate::postgres) mod options;
pub(in crate::postgres) mod pool;
pub(in crate::postgres) mod retry;
pub(in crate::postgres) mod server;
mod startup;
pub(in crate::postgres) mod table_access;
mod time_limit;
pub(in crate::postgres) mod tls;
mod url;
mod url_options;

pub(crate) use options::DatabaseOptions;
pub(crate) use pool::Database;
pub(crate) use retry::RetryBudget;
pub use url::DatabaseUrlError;
pub(crate) use url::{check as check_url, ignored_options, place};
