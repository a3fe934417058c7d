//! The configuration of a copy. Its values have already been validated.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use crate::account::AccountId;
use crate::catalog::ColumnName;
use crate::live::{DEFAULT_TIME_LIMIT, DEFAULT_TOLERANCE, WebhookSecret};
use crate::postgres::{
    DatabaseOptions, DatabaseUrlError, Names, check_url, ignored_options, place,
};
use crate::stripe::{ApiBase, ApiKey, RateOptions};

/// Where to copy from and to.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Config {
    /// `postgres://user:password@host:5432/database`, or libpq's keywords.
    pub database_url: DatabaseUrl,
    /// The schema and table prefix of this copy.
    pub names: Names,
    /// Maximum number of connections to the database.
    pub max_connections: usize,
    /// Required by every operation that sends requests to Stripe.
    pub key: Option<ApiKey>,
    /// The account, if the key is not allowed to read it from `/v1/account`.
    pub account: Option<AccountId>,
    /// The base URL of the API, if it is not `https://api.stripe.com`.
    pub api_base: ApiBase,
    /// The `Stripe-Version` header. Default: the version of the catalog.
    pub api_version: Option<String>,
    /// The signing secrets of the webhook endpoints that deliver to this copy. Several are valid
    /// while a secret is rotated.
    pub webhook_secrets: Vec<WebhookSecret>,
    /// How old the signature of a webhook may be. Default 300 s, as in Stripe's libraries.
    pub webhook_tolerance: Duration,
    /// How long a webhook or an event may take until the call returns with an error, so that Stripe
    /// delivers it again. Default 15 s, because Stripe stops waiting for slower endpoints.
    pub webhook_timeout: Duration,
    /// Objects, by their names in Stripe, by table, or by the names of the TypeScript engines, that
    /// are always fetched instead of being stored from the event. Check names with
    /// [`crate::check_revalidate`].
    pub revalidate: BTreeSet<String>,
    /// Columns to exclude: they are no longer stored, and values that are already stored are
    /// cleared. The schema records them; see [`crate::StripeSync::include_columns`].
    pub exclude_columns: Vec<ColumnName>,
    /// How many bytes of another engine's tables [`crate::StripeSync::migrate`] may rewrite to
    /// adopt them. Default 1 GiB.
    pub rewrite_limit: u64,
    /// Requests per second. Default: 75% of the limits that Stripe documents.
    pub rate: Option<RateOptions>,
    /// The timeout of one request to Stripe. Default 80 s.
    pub request_timeout: Duration,
    /// How long workers wait while Stripe or the database cannot be reached. Default 10 minutes.
    pub max_outage: Duration,
    /// How long [`crate::StripeSync::connect`] waits for a database that is starting: one that
    /// refuses connections, or has none left. Default 30 seconds.
    pub database_wait: Duration,
    /// How long one operation on the database may take before its connection is closed and the
    /// operation is retried. Migrations, indexes and queries have no limit. Default 2 minutes.
    pub database_timeout: Duration,
    /// The certificates of the authorities that may sign the database's certificate: a file in PEM
    /// format. `sslrootcert` in the URL takes precedence. Default: those of the operating system.
    pub database_root_certificates: Option<PathBuf>,
}

/// A database URL, which may hold a password: `Debug` shows none of it.
#[derive(Clone)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    /// Checks the form of a URL or keyword string without connecting to anything.
    ///
    /// # Errors
    /// [`DatabaseUrlError`] says what is wrong, and never repeats the text.
    pub fn check(text: &str) -> Result<(), DatabaseUrlError> {
        check_url(text)
    }

    /// The options of the text that are meant for other programs, such as Prisma's `pgbouncer`.
    /// They are ignored.
    pub fn ignored_options(text: &str) -> Vec<&'static str> {
        ignored_options(text)
    }

    /// The server's addresses and the name of the database, for messages. `None` if the text is
    /// invalid.
    pub fn place(text: &str) -> Option<(String, String)> {
        place(text)
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DatabaseUrl(..)")
    }
}

impl Config {
    /// A configuration with default values for everything except the database and the names in it.
    pub fn new(database_url: impl Into<String>, names: Names) -> Config {
        Config {
            database_url: DatabaseUrl(database_url.into()),
            names,
            max_connections: 5,
            key: None,
            account: None,
            api_base: ApiBase::default(),
            api_version: None,
            webhook_secrets: Vec::new(),
            webhook_tolerance: DEFAULT_TOLERANCE,
            webhook_timeout: DEFAULT_TIME_LIMIT,
            revalidate: BTreeSet::new(),
            exclude_columns: Vec::new(),
            rewrite_limit: 1 << 30,
            rate: None,
            request_timeout: Duration::from_secs(80),
            max_outage: Duration::from_secs(600),
            database_wait: Duration::from_secs(30),
            database_timeout: Duration::from_secs(120),
            database_root_certificates: None,
        }
    }

    pub(crate) fn database_options(&self) -> DatabaseOptions {
        DatabaseOptions {
            connections: self.max_connections,
            max_outage: self.max_outage,
            operation_timeout: self.database_timeout,
            startup_wait: self.database_wait,
            root_certificates: self.database_root_certificates.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_in_a_log_shows_no_secret() {
        let names = Names::new("stripe", "").expect("names");
        let mut config = Config::new("postgres://u:PaSsWoRd@host/x", names);
        config.key = Some(ApiKey::parse("rk_live_KeYkEyKeY").expect("a key"));
        for text in [format!("{config:?}"), format!("{config:#?}"), format!("{:?}", config.key)] {
            assert!(!text.contains("PaSsWoRd") && !text.contains("KeYkEyKeY"), "{text}");
        }
    }
}
