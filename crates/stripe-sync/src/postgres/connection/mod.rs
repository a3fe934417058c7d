//! A pool of connections to one database: the url, TLS, and what kind of server answers.

pub(in crate::postgres) mod pool;
pub(in crate::postgres) mod server;
pub(in crate::postgres) mod tls;
mod url;

pub(crate) use pool::{Database, RetryBudget};
pub use url::DatabaseUrlError;
pub(crate) use url::check as check_url;
