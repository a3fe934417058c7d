//! Parses a database url or keyword string into the driver's configuration, with a message for each
//! mistake. No message repeats the text: a mistake can put parts of the password anywhere in it.

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use crate::postgres::connection::tls;

/// The options of the driver (<https://docs.rs/tokio-postgres/latest/tokio_postgres/config/>), and
/// the values of `sslmode` that this module adds.
const OPTIONS: [&str; 19] = [
    "user",
    "password",
    "dbname",
    "options",
    "application_name",
    "sslmode",
    "sslnegotiation",
    "host",
    "hostaddr",
    "port",
    "connect_timeout",
    "tcp_user_timeout",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_retries",
    "target_session_attrs",
    "channel_binding",
    "load_balance_hosts",
];

/// Why a text cannot be used as a database url.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseUrlError {
    /// Another scheme, or none.
    #[error("this is not a PostgreSQL url; the form is postgres://user@host:5432/database")]
    Scheme,
    /// Usually from a shell or an .env file.
    #[error("the url is in quotation marks; pass it without them")]
    Quoted,
    /// The driver would read it as the end of the password, and the rest as the host.
    #[error(
        "the password in the url contains an @; percent-encode special characters in the password (@ as %40, : as %3A, / as %2F, # as %23, ? as %3F, % as %25)"
    )]
    AtInPassword,
    /// Neither in the url nor as `host=`.
    #[error("the url has no host; the form is postgres://user@host:5432/database")]
    NoHost,
    /// Not a number from 1 to 65535.
    #[error("the port in the url is not a number from 1 to 65535; the default is 5432")]
    Port,
    /// Unknown to the driver; usually an option of another program.
    #[error("the url has the option `{0}`, which stripe-sync does not support; remove it")]
    UnknownOption(String),
    /// Not one of PostgreSQL's.
    #[error(
        "the sslmode in the url must be disable, allow, prefer, require, verify-ca, verify-full or no-verify"
    )]
    SslMode,
    /// Anything else.
    #[error(
        "the database url is invalid; the form is postgres://user:password@host:5432/database, with special characters in the password percent-encoded (@ as %40, / as %2F)"
    )]
    Unreadable,
}

/// Checks the form of a url or keyword string.
pub(crate) fn check(text: &str) -> Result<(), DatabaseUrlError> {
    parse(text).map(|_| ())
}

/// Parses a url or keyword string, including the values of `sslmode` that the driver does not have.
pub(in crate::postgres) fn parse(text: &str) -> Result<(Config, tls::Verify), DatabaseUrlError> {
    let text = text.trim();
    if text.starts_with(['"', '\'', '\u{201c}', '\u{2018}']) {
        return Err(DatabaseUrlError::Quoted);
    }
    let is_url = ["postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme));
    if !is_url && (text.contains("://") || !text.contains('=')) {
        return Err(DatabaseUrlError::Scheme);
    }
    if is_url {
        check_ports(text)?;
    }
    let (stripped, stated) = tls::take_sslmode(text);
    let config: Config = stripped.parse().map_err(|_| match unknown_option(text, is_url) {
        Some(name) => DatabaseUrlError::UnknownOption(name),
        None => DatabaseUrlError::Unreadable,
    })?;
    let is_nameless = |host: &Host| matches!(host, Host::Tcp(name) if name.is_empty());
    if config.get_hosts().iter().all(is_nameless) {
        return Err(DatabaseUrlError::NoHost);
    }
    let has_at = |host: &Host| matches!(host, Host::Tcp(name) if name.contains('@'));
    if config.get_hosts().iter().any(has_at) {
        return Err(DatabaseUrlError::AtInPassword);
    }
    with_tls(config, stated.as_deref())
}

fn with_tls(
    mut config: Config,
    stated: Option<&str>,
) -> Result<(Config, tls::Verify), DatabaseUrlError> {
    let local = config.get_hosts().iter().all(|host| match host {
        Host::Tcp(name) => matches!(name.as_str(), "localhost" | "127.0.0.1" | "::1"),
        Host::Unix(_) => true,
    });
    let (mode, verify) = match stated {
        Some("disable") => (SslMode::Disable, tls::Verify::Full),
        Some("no-verify") => (SslMode::Require, tls::Verify::None),
        Some("require" | "verify-ca" | "verify-full") => (SslMode::Require, tls::Verify::Full),
        // A connection that stays on this machine uses TLS only on request.
        None | Some("prefer" | "allow") if local => (SslMode::Disable, tls::Verify::Full),
        None | Some("prefer" | "allow") => (SslMode::Prefer, tls::Verify::Full),
        Some(_) => return Err(DatabaseUrlError::SslMode),
    };
    config.ssl_mode(mode);
    Ok((config, verify))
}

/// Checks that every `host:port` of the url has a valid port or none.
fn check_ports(url: &str) -> Result<(), DatabaseUrlError> {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let hosts = authority.rsplit_once('@').map_or(authority, |(_, hosts)| hosts);
    let fine = hosts.split(',').all(|host| {
        let after_v6 = host.rsplit_once(']').map_or(host, |(_, rest)| rest);
        match after_v6.rsplit_once(':') {
            Some((_, port)) => port.is_empty() || port.parse::<u16>().is_ok_and(|port| port > 0),
            None => true,
        }
    });
    match fine {
        true => Ok(()),
        // What looks like a port is the start of a password that contains a / or ?.
        false if rest[authority.len()..].contains('@') => Err(DatabaseUrlError::Unreadable),
        false => Err(DatabaseUrlError::Port),
    }
}

/// The name of an option that the driver does not have, unless it could be part of a password.
fn unknown_option(text: &str, is_url: bool) -> Option<String> {
    let options = match is_url {
        true => text.split_once('?')?.1,
        false => text,
    };
    if options.contains(['@', '\'', '\\', '"']) {
        return None;
    }
    let separator = if is_url { '&' } else { ' ' };
    let mut names = options.split(separator).filter_map(|option| option.split_once('='));
    let is_name = |name: &str| {
        (1..=30).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_')
    };
    let found = names.find(|(name, _)| is_name(name) && !OPTIONS.contains(name));
    found.map(|(name, _)| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sslmode_decides_about_tls() {
        let mode = |url: &str| parse(url).map(|(c, v)| (c.get_ssl_mode(), v));
        let far = "postgres://u:p@db.example.com/x";
        assert!(matches!(mode(far), Ok((SslMode::Prefer, tls::Verify::Full))));
        assert!(matches!(
            mode(&format!("{far}?sslmode=verify-full")),
            Ok((SslMode::Require, tls::Verify::Full))
        ));
        assert!(matches!(
            mode(&format!("{far}?sslmode=no-verify")),
            Ok((SslMode::Require, tls::Verify::None))
        ));
        assert!(matches!(mode("postgres://localhost/x"), Ok((SslMode::Disable, _))));
        assert!(matches!(
            mode("host=db.example.com sslmode=require user=u"),
            Ok((SslMode::Require, tls::Verify::Full))
        ));
        assert!(mode(&format!("{far}?sslmode=maybe")).is_err());
    }

    #[test]
    fn each_mistake_has_its_message_and_none_repeats_the_url() {
        use DatabaseUrlError::*;
        for (text, error) in [
            ("", Scheme),
            ("s3cret", Scheme),
            ("mysql://u:s3cret@h/x", Scheme),
            ("u:s3cret@h/x", Scheme),
            ("\"postgres://u:s3cret@h/x\"", Quoted),
            ("'postgres://u:s3cret@h/x'", Quoted),
            ("postgres://u:a@s3cret@h/x", AtInPassword),
            ("postgres://u:s3cret@/x", NoHost),
            ("postgres:///x", NoHost),
            ("user=u password=s3cret", NoHost),
            ("postgres://u:s3cret@h:port/x", Port),
            ("postgres://u:s3cret@h:0/x", Port),
            ("postgres://u:s3cret@h:65536/x", Port),
            ("postgres://u:s3cret@h/x?pgbouncer=true", UnknownOption("pgbouncer".into())),
            ("postgres://u:s3cret@h/x?schema=public&a=s3cret", UnknownOption("schema".into())),
            ("host=h sslrootcert=/s3cret user=u", UnknownOption("sslrootcert".into())),
            ("host=h password='s3cret x=1' nothing=1", Unreadable),
            ("postgres://u:s3cret?x=1@h/x", Unreadable),
            ("postgres://u:s3/cret@h/x", Unreadable),
            ("postgres://u:s3cret@h/x?sslmode=s3cret", SslMode),
            ("postgres://u:s3cret@h/x?connect_timeout=s3cret", Unreadable),
            ("host=h user=u password", Unreadable),
        ] {
            let found = parse(text).map(|_| ()).expect_err(text);
            assert_eq!(found, error, "{text}");
            assert!(!found.to_string().contains("s3cret"), "{found}");
        }
    }

    #[test]
    fn every_valid_form_is_accepted() {
        for text in [
            "postgres://u:p%40%2F@h:5432/x",
            "postgresql://u@h",
            "postgres://u@[::1]:5432/x",
            "postgres://u@a:5432,b:5433/x?target_session_attrs=read-write",
            "postgres:///x?host=/tmp&user=u",
            "postgres://u@%2Ftmp/x",
            "host=/tmp user=u dbname=x",
            "host=h password='it\\'s' user=u",
            " postgres://u@h/x?sslmode=require&channel_binding=require&connect_timeout=5\n",
            "postgres://u@h/x?options=-c%20statement_timeout%3D5000",
        ] {
            assert!(parse(text).is_ok(), "{text}: {:?}", parse(text).err());
        }
    }
}
