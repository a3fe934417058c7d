//! Checked settings from arguments and environment. Nothing is accessed here, except for the file
//! that contains the key.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use jiff::SignedDuration;
use stripe_sync::{AccountId, ApiBase, ApiKey, Config, Names, RateOptions};

use crate::args::Connection;
use crate::database_target::DatabaseTarget;
use crate::environment::{Environment, SettingValue};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::key;

/// The variable of the TypeScript engines.
const REVALIDATE: &str = "REVALIDATE_OBJECTS_VIA_STRIPE_API";
const DEFAULT_SCHEMA: &str = "stripe";

/// The database and the names of schema and tables.
pub(crate) struct DatabaseSettings {
    pub(crate) target: DatabaseTarget,
    pub(crate) names: Names,
    prefix: String,
    max_connections: Option<usize>,
    wait: Option<Duration>,
    root_certificates: Option<PathBuf>,
}

/// The API key and how to use the API.
pub(crate) struct StripeSettings {
    key: ApiKey,
    account: Option<AccountId>,
    api_base: ApiBase,
    api_version: Option<String>,
    rate: Option<RateOptions>,
    revalidate: BTreeSet<String>,
}

impl DatabaseSettings {
    /// Checks the settings of the database.
    ///
    /// # Errors
    /// A value is invalid.
    pub(crate) fn resolve(
        args: &Connection,
        env: &Environment,
    ) -> Result<DatabaseSettings, Failure> {
        let schema = env.option_or_variable(args.schema.as_deref(), "--schema", "SCHEMA");
        let prefix = args.table_prefix.as_deref();
        let prefix = env.option_or_variable(prefix, "--table-prefix", "TABLE_PREFIX");
        let prefix = prefix.map_or("", |value| value.text);
        let names = Names::new(schema.map_or(DEFAULT_SCHEMA, |value| value.text), prefix)
            .map_err(|error| Failure::split_hint(Exit::Usage, &error))?;
        let connections = env.option_or_variable(
            args.max_connections.as_deref(),
            "--max-connections",
            "MAX_POSTGRES_CONNECTIONS",
        );
        let max_connections = connections.map(|value| connection_count(&value)).transpose()?;
        let wait = env.option_or_variable(
            args.wait_for_database.as_deref(),
            "--wait-for-database",
            "STRIPE_SYNC_WAIT_FOR_DATABASE",
        );
        Ok(DatabaseSettings {
            target: DatabaseTarget::resolve(args, env)?,
            names,
            prefix: prefix.strip_suffix('_').unwrap_or(prefix).to_owned(),
            max_connections,
            wait: wait.map(|value| duration(&value)).transpose()?,
            // As in libpq: https://www.postgresql.org/docs/current/libpq-envars.html
            root_certificates: env.get("PGSSLROOTCERT").map(PathBuf::from),
        })
    }

    /// A table as it is written in the SQL of `stripe-sync query`, which finds it without its schema.
    pub(crate) fn table(&self, name: &str) -> String {
        let name = match self.prefix.as_str() {
            "" => name.to_owned(),
            prefix => format!("{prefix}_{name}"),
        };
        match name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_') {
            true => name,
            false => format!("\"{}\"", name.replace('"', "\"\"")),
        }
    }

    /// The library's configuration for the database at `url`.
    pub(crate) fn config(&self, url: &str) -> Config {
        let mut config = Config::new(url, self.names.clone());
        if let Some(connections) = self.max_connections {
            config.max_connections = connections;
        }
        if let Some(wait) = self.wait {
            config.database_wait = wait;
        }
        config.database_root_certificates = self.root_certificates.clone();
        config
    }
}

impl StripeSettings {
    /// Checks the settings of the API.
    ///
    /// # Errors
    /// No key is set, or a value is invalid.
    pub(crate) fn resolve(args: &Connection, env: &Environment) -> Result<StripeSettings, Failure> {
        let base =
            env.option_or_variable(args.api_base.as_deref(), "--api-base", "STRIPE_API_BASE");
        let version = env.option_or_variable(
            args.api_version.as_deref(),
            "--api-version",
            "STRIPE_API_VERSION",
        );
        let api_base = match base {
            None => ApiBase::default(),
            Some(value) => ApiBase::parse(value.text)
                .map_err(|error| Failure::split_hint(Exit::Usage, &error).in_setting(value.name))?,
        };
        Ok(StripeSettings {
            key: key::resolve(env)?,
            account: account(args, env)?,
            api_base,
            api_version: version.map(|value| api_version(&value)).transpose()?,
            rate: args.max_rps.as_deref().map(rate).transpose()?,
            revalidate: revalidate(env.get(REVALIDATE).into_iter())
                .map_err(|error| error.in_setting(REVALIDATE))?,
        })
    }

    /// Replaces the objects to revalidate, if the option names any.
    ///
    /// # Errors
    /// A name is unknown.
    pub(crate) fn with_revalidate(self, names: &[String]) -> Result<StripeSettings, Failure> {
        let names = revalidate(names.iter().map(String::as_str))
            .map_err(|error| error.in_setting("--revalidate"))?;
        match names.is_empty() {
            true => Ok(self),
            false => Ok(StripeSettings { revalidate: names, ..self }),
        }
    }

    /// Adds these settings to `config` if a key is set, and otherwise the account alone.
    ///
    /// # Errors
    /// A value is invalid.
    pub(crate) fn add_if_given(
        args: &Connection,
        env: &Environment,
        config: &mut Config,
    ) -> Result<(), Failure> {
        if key::is_given(env) {
            StripeSettings::resolve(args, env)?.add_to(config);
        } else {
            config.account = account(args, env)?;
        }
        Ok(())
    }

    /// Adds these settings to the library's configuration.
    pub(crate) fn add_to(&self, config: &mut Config) {
        config.key = Some(self.key.clone());
        config.account = self.account.clone();
        config.api_base = self.api_base.clone();
        config.api_version = self.api_version.clone();
        config.rate = self.rate;
        config.revalidate = self.revalidate.clone();
    }
}

fn revalidate<'n>(lists: impl Iterator<Item = &'n str>) -> Result<BTreeSet<String>, Failure> {
    let names = lists.flat_map(|list| list.split(',')).map(str::trim);
    let names = names.filter(|name| !name.is_empty()).map(str::to_owned).collect();
    stripe_sync::check_revalidate(&names)?;
    Ok(names)
}

fn duration(value: &SettingValue<'_>) -> Result<Duration, Failure> {
    let parsed = value.text.parse::<SignedDuration>().map(Duration::try_from);
    match parsed {
        Ok(Ok(duration)) => Ok(duration),
        _ => Err(Failure::usage(format!("{} {:?} is not a duration", value.name, value.text))
            .with_hint("give a duration, such as 30s or 2m; 0s does not wait")),
    }
}

fn account(args: &Connection, env: &Environment) -> Result<Option<AccountId>, Failure> {
    let value = env.option_or_variable(args.account.as_deref(), "--account", "STRIPE_ACCOUNT_ID");
    let Some(value) = value else { return Ok(None) };
    match AccountId::parse(value.text.trim()) {
        Some(account) => Ok(Some(account)),
        None => Err(Failure::usage(format!("{} is not an account ID", value.name)).with_hint(
            "an account ID looks like acct_1032D82eZvKYlo2C; find it in the Dashboard under \
             Settings",
        )),
    }
}

fn api_version(value: &SettingValue<'_>) -> Result<String, Failure> {
    let version = value.text.trim();
    let is_allowed =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | ';' | '=' | ' ');
    match begins_with_date(version) && version.len() <= 200 && version.chars().all(is_allowed) {
        true => Ok(version.to_owned()),
        false => Err(Failure::usage(format!("{} is not a Stripe API version", value.name))
            .with_hint(format!("a version looks like {}", stripe_sync::api_version()))),
    }
}

/// Whether the text begins with a date, as every version does (`2024-06-20`), followed by nothing
/// or by a name such as `.acacia`.
fn begins_with_date(version: &str) -> bool {
    let shape = |(i, c): (usize, char)| match i {
        4 | 7 => c == '-',
        10 => matches!(c, '.' | ';'),
        _ => c.is_ascii_digit(),
    };
    version.len() >= 10 && version.chars().take(11).enumerate().all(shape)
}

fn connection_count(value: &SettingValue<'_>) -> Result<usize, Failure> {
    let count = value.text.trim().parse().ok().filter(|count| (1..=1_000).contains(count));
    count.ok_or_else(|| Failure::usage(format!("{} must be a number from 1 to 1000", value.name)))
}

fn rate(text: &str) -> Result<RateOptions, Failure> {
    if text.eq_ignore_ascii_case("none") {
        return Ok(RateOptions::Unlimited);
    }
    match text.parse::<f64>() {
        Ok(rate) if (0.001..=1e6).contains(&rate) => Ok(RateOptions::Fixed(rate)),
        _ => Err(Failure::usage("--max-rps must be `none` or a number from 0.001 to 1000000")
            .with_hint(
                "give requests per second, such as 10, or omit the option to use 75% of Stripe's \
                 limits",
            )),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::args::Args;
    use crate::environment;

    #[test]
    fn table_names_are_quoted_where_sql_requires_it() {
        let table = |args: &[&str]| {
            let args = match Args::try_parse_from(["stripe-sync", "migrate"].iter().chain(args)) {
                Ok(args) => args.connection,
                Err(error) => panic!("{error}"),
            };
            let environment = environment::from_pairs(&[("STRIPE_SYNC_DATA", "/x")]);
            DatabaseSettings::resolve(&args, &environment).expect("settings").table("plans")
        };
        assert_eq!(table(&["--schema", "select"]), "plans");
        assert_eq!(table(&["--table-prefix", "b"]), "b_plans");
        assert_eq!(table(&["--table-prefix", "My \"Own\""]), "\"My \"\"Own\"\"_plans\"");
    }
}
