//! From arguments and environment to checked settings, without touching anything.

use std::path::{Path, PathBuf};

use stripe_sync::{AccountId, ApiBase, ApiKey, Config, DatabaseUrl, Names, RateOptions};

use crate::args::Connection;
use crate::environment::{Environment, Given};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::{mask, talk};

const DEFAULT_SCHEMA: &str = "stripe";
const GET_A_KEY: &str = "set STRIPE_SECRET_KEY to a secret key (sk_...) or a restricted key \
                         (rk_...) from https://dashboard.stripe.com/apikeys";

/// Where the rows go.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// A database of the user's.
    Url(String),
    /// The private PostgreSQL of this directory.
    Private(PathBuf),
}

/// The database's side.
pub(crate) struct Database {
    pub(crate) place: Place,
    pub(crate) names: Names,
    prefix: String,
    max_connections: Option<usize>,
}

/// Stripe's side.
pub(crate) struct Stripe {
    key: ApiKey,
    account: Option<AccountId>,
    api_base: ApiBase,
    api_version: Option<String>,
    rate: Option<RateOptions>,
}

impl Database {
    /// Checks what concerns the database.
    ///
    /// # Errors
    /// A value makes no sense.
    pub(crate) fn resolve(typed: &Connection, env: &Environment) -> Result<Database, Failure> {
        let schema = env.or(typed.schema.as_deref(), "--schema", "SCHEMA");
        let prefix = env.or(typed.table_prefix.as_deref(), "--table-prefix", "TABLE_PREFIX");
        let prefix = prefix.map_or("", |given| given.text);
        let names = Names::new(schema.map_or(DEFAULT_SCHEMA, |given| given.text), prefix)
            .map_err(|error| Failure::with_advice(Exit::Usage, &error))?;
        let connections = env.or(
            typed.max_connections.as_deref(),
            "--max-connections",
            "MAX_POSTGRES_CONNECTIONS",
        );
        let max_connections = connections.map(|given| connection_count(&given)).transpose()?;
        Ok(Database {
            place: place(typed, env)?,
            names,
            prefix: prefix.strip_suffix('_').unwrap_or(prefix).to_owned(),
            max_connections,
        })
    }

    /// A table as one writes it in SQL, for what to type next.
    pub(crate) fn table(&self, name: &str) -> String {
        let quoted = |name: &str| match name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_') {
            true => name.to_owned(),
            false => format!("\"{}\"", name.replace('"', "\"\"")),
        };
        let name = match self.prefix.as_str() {
            "" => name.to_owned(),
            prefix => format!("{prefix}_{name}"),
        };
        format!("{}.{}", quoted(self.names.schema()), quoted(&name))
    }

    /// For the library, with the url of the database once that is known.
    pub(crate) fn config(&self, url: &str) -> Config {
        let mut config = Config::new(url, self.names.clone());
        if let Some(connections) = self.max_connections {
            config.max_connections = connections;
        }
        config
    }
}

impl Stripe {
    /// Checks what concerns Stripe.
    ///
    /// # Errors
    /// There is no key, or a value makes no sense.
    pub(crate) fn resolve(typed: &Connection, env: &Environment) -> Result<Stripe, Failure> {
        let account = env.or(typed.account.as_deref(), "--account", "STRIPE_ACCOUNT_ID");
        let base = env.or(typed.api_base.as_deref(), "--api-base", "STRIPE_API_BASE");
        let version = env.or(typed.api_version.as_deref(), "--api-version", "STRIPE_API_VERSION");
        let api_base = match base {
            None => ApiBase::default(),
            Some(given) => ApiBase::parse(given.text)
                .map_err(|error| Failure::with_advice(Exit::Usage, &error).about(given.by))?,
        };
        Ok(Stripe {
            key: key(env)?,
            account: account.map(|given| account_id(&given)).transpose()?,
            api_base,
            api_version: version.map(|given| api_version(&given)).transpose()?,
            rate: typed.max_rps.as_deref().map(rate).transpose()?,
        })
    }

    /// As [`Stripe::resolve`]; adds the account alone where there is no key.
    ///
    /// # Errors
    /// A value makes no sense.
    pub(crate) fn add_what_is_given(
        typed: &Connection,
        env: &Environment,
        config: &mut Config,
    ) -> Result<(), Failure> {
        if env.get("STRIPE_SECRET_KEY").or_else(|| env.get("STRIPE_API_KEY")).is_some() {
            Stripe::resolve(typed, env)?.add_to(config);
        } else {
            let account = env.or(typed.account.as_deref(), "--account", "STRIPE_ACCOUNT_ID");
            config.account = account.map(|given| account_id(&given)).transpose()?;
        }
        Ok(())
    }

    /// Adds this side to the library's configuration.
    pub(crate) fn add_to(&self, config: &mut Config) {
        config.key = Some(self.key.clone());
        config.account = self.account.clone();
        config.api_base = self.api_base.clone();
        config.api_version = self.api_version.clone();
        config.rate = self.rate;
    }
}

fn place(typed: &Connection, env: &Environment) -> Result<Place, Failure> {
    if let Some(url) = env.or(typed.database_url.as_deref(), "--database-url", "DATABASE_URL") {
        if typed.database_url.is_some() && mask::has_password(url.text) {
            talk::warning(
                "--database-url shows its password to everyone who can list processes; \
                 set DATABASE_URL instead",
            );
        }
        if typed.data_dir.is_some() {
            talk::warning(&format!("--data-dir is not used, because {} is set", url.by));
        }
        let text = url.text.trim();
        DatabaseUrl::check(text)
            .map_err(|error| Failure::with_advice(Exit::Usage, &error).about(url.by))?;
        return Ok(Place::Url(text.to_owned()));
    }
    if let Some(dir) = &typed.data_dir {
        return directory(dir, "--data-dir");
    }
    if let Some(dir) = env.get("STRIPE_SYNC_DATA") {
        return directory(dir.as_ref(), "STRIPE_SYNC_DATA");
    }
    // The specification has relative values ignored:
    // https://specifications.freedesktop.org/basedir-spec/latest/
    let data_home = env.get("XDG_DATA_HOME").map(PathBuf::from).filter(|dir| dir.is_absolute());
    let data_home =
        data_home.or_else(|| Some(PathBuf::from(env.get("HOME")?).join(".local/share")));
    match data_home {
        Some(home) => Ok(Place::Private(home.join("stripe-sync"))),
        None => {
            Err(Failure::usage("there is no place for the private PostgreSQL: HOME is not set")
                .hint("set DATABASE_URL, or give --data-dir"))
        }
    }
}

/// Slips of scripts, which would become directories of strange names.
fn directory(dir: &Path, by: &str) -> Result<Place, Failure> {
    let text = dir.to_string_lossy();
    if text.trim().is_empty() {
        return Err(Failure::usage(format!("{by} is empty")).hint("name a directory"));
    }
    if text.contains(char::is_control) || text.ends_with(char::is_whitespace) {
        let problem = "has a line break or another control character in it, or a blank at its end";
        return Err(Failure::usage(format!("{by} {problem}")).hint("leave that out"));
    }
    if text == "~" || text.starts_with("~/") {
        return Err(Failure::usage(format!("{by} begins with a ~ that no shell has replaced"))
            .hint("write \"$HOME\" instead"));
    }
    Ok(Place::Private(dir.to_owned()))
}

fn key(env: &Environment) -> Result<ApiKey, Failure> {
    let (secret, api) = (env.get("STRIPE_SECRET_KEY"), env.get("STRIPE_API_KEY"));
    let (text, by) = match (secret, api) {
        (Some(secret), Some(api)) if secret.trim() != api.trim() => {
            return Err(Failure::usage(
                "STRIPE_SECRET_KEY and STRIPE_API_KEY are both set, and they differ",
            )
            .hint("unset one of them"));
        }
        (Some(secret), _) => (secret, "STRIPE_SECRET_KEY"),
        (None, Some(api)) => (api, "STRIPE_API_KEY"),
        (None, None) => return Err(Failure::usage("there is no Stripe key").hint(GET_A_KEY)),
    };
    ApiKey::parse(text).map_err(|error| Failure::with_advice(Exit::Usage, &error).about(by))
}

fn account_id(given: &Given<'_>) -> Result<AccountId, Failure> {
    AccountId::parse(given.text.trim()).ok_or_else(|| {
        Failure::usage(format!("{} is not the id of an account", given.by))
            .hint("it looks like acct_1032D82eZvKYlo2C; the Dashboard shows it under Settings")
    })
}

fn api_version(given: &Given<'_>) -> Result<String, Failure> {
    let version = given.text.trim();
    let legal =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | ';' | '=' | ' ');
    match begins_with_date(version) && version.len() <= 200 && version.chars().all(legal) {
        true => Ok(version.to_owned()),
        false => Err(Failure::usage(format!("{} is not a version of Stripe's API", given.by))
            .hint(format!("it looks like {}", stripe_sync::api_version()))),
    }
}

/// `2024-06-20`, as every version does, with `.acacia` or nothing behind.
fn begins_with_date(version: &str) -> bool {
    let shape = |(i, c): (usize, char)| match i {
        4 | 7 => c == '-',
        10 => matches!(c, '.' | ';'),
        _ => c.is_ascii_digit(),
    };
    version.len() >= 10 && version.chars().take(11).enumerate().all(shape)
}

fn connection_count(given: &Given<'_>) -> Result<usize, Failure> {
    given
        .text
        .trim()
        .parse()
        .ok()
        .filter(|count| (1..=1_000).contains(count))
        .ok_or_else(|| Failure::usage(format!("{} is not a number from 1 to 1000", given.by)))
}

fn rate(text: &str) -> Result<RateOptions, Failure> {
    if text.eq_ignore_ascii_case("none") {
        return Ok(RateOptions::Unlimited);
    }
    match text.parse::<f64>() {
        Ok(rate) if (0.001..=1e6).contains(&rate) => Ok(RateOptions::Fixed(rate)),
        _ => Err(Failure::usage("--max-rps is neither a number from 0.001 to 1000000 nor `none`")
            .hint("requests per second, such as 10; leave it out for 75 % of Stripe's limits")),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::args::Args;
    use crate::environment;

    fn typed(args: &[&str]) -> Connection {
        match Args::try_parse_from(["stripe-sync", "migrate"].iter().chain(args)) {
            Ok(args) => args.connection,
            Err(error) => panic!("{error}"),
        }
    }

    fn place_of(args: &[&str], pairs: &[(&str, &str)]) -> Place {
        place(&typed(args), &environment::of(pairs)).expect("a place")
    }

    #[test]
    fn the_place_of_the_data() {
        let home = ("HOME", "/home/u");
        for (args, pairs, expected) in [
            (vec![], vec![home], "/home/u/.local/share/stripe-sync"),
            (vec![], vec![home, ("XDG_DATA_HOME", "/data")], "/data/stripe-sync"),
            (vec![], vec![home, ("XDG_DATA_HOME", "data")], "/home/u/.local/share/stripe-sync"),
            (vec![], vec![home, ("STRIPE_SYNC_DATA", "/here")], "/here"),
            (vec!["--data-dir", "/there"], vec![("STRIPE_SYNC_DATA", "/here")], "/there"),
        ] {
            assert!(place_of(&args, &pairs) == Place::Private(expected.into()), "{expected}");
        }
        let url = ("DATABASE_URL", "host=db user=u");
        let expected = Place::Url("host=db user=u".to_owned());
        assert!(place_of(&["--data-dir", "/there"], &[url]) == expected);
    }

    #[test]
    fn one_key_under_either_name() {
        let key = |pairs: &[(&str, &str)]| super::key(&environment::of(pairs)).map(|k| k.hint());
        let (secret, api) =
            (("STRIPE_SECRET_KEY", "sk_test_123 "), ("STRIPE_API_KEY", "sk_test_123"));
        for pairs in [&[secret][..], &[api], &[secret, api]] {
            assert_eq!(key(pairs).expect("a key"), "sk_test_...");
        }
        assert!(key(&[secret, ("STRIPE_API_KEY", "sk_test_124")]).is_err());
        assert!(key(&[]).is_err());
    }

    #[test]
    fn tables_are_named_as_sql_needs_it() {
        let table = |args: &[&str]| {
            let environment = environment::of(&[("STRIPE_SYNC_DATA", "/x")]);
            Database::resolve(&typed(args), &environment).expect("settings").table("plans")
        };
        assert_eq!(table(&[]), "stripe.plans");
        assert_eq!(
            table(&["--schema", "My \"Own\"", "--table-prefix", "b"]),
            "\"My \"\"Own\"\"\".b_plans"
        );
    }
}
