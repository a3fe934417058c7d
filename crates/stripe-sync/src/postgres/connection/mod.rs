//! Connections to one database: the url, TLS, the kind of server, the pool, and retries.

pub(in crate::postgres) mod pool;
pub(in crate::postgres) mod retry;
pub(in crate::postgres) mod server;
pub(in crate::postgres) mod tls;
mod url;

pub(crate) use pool::Database;
pub(crate) use retry::RetryBudget;
pub use url::DatabaseUrlError;
pub(crate) use url::check as check_url;
