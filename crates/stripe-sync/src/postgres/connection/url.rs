//! Parses a database URL or keyword string into the driver's configuration, with a message for each
//! mistake. No message repeats the text: a mistake can put parts of the password anywhere in it.

use std::net::IpAddr;
use std::path::PathBuf;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use crate::postgres::connection::tls::{TlsSettings, Verify};
use crate::postgres::connection::url_options::UrlOptions;

/// The options of the driver (<https://docs.rs/tokio-postgres/latest/tokio_postgres/config/>) and
/// the TLS settings that the engine implements itself.
const OPTIONS: [&str; 20] = [
    "user",
    "password",
    "dbname",
    "options",
    "application_name",
    "sslmode",
    "sslrootcert",
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

/// Why a text cannot be used as a database URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseUrlError {
    /// Another scheme, or none.
    #[error("this is not a PostgreSQL URL; the form is postgres://user@host:5432/database")]
    Scheme,
    /// Usually from a shell or an .env file.
    #[error("the URL is in quotation marks; pass it without them")]
    Quoted,
    /// The driver would read it as the end of the password, and the rest as the host.
    #[error(
        "the password in the URL contains an @; percent-encode special characters in the password (@ as %40, : as %3A, / as %2F, # as %23, ? as %3F, % as %25)"
    )]
    AtInPassword,
    /// Neither in the URL nor as `host=`.
    #[error("the URL has no host; the form is postgres://user@host:5432/database")]
    NoHost,
    /// Not a number from 1 to 65535.
    #[error("the port in the URL is not a number from 1 to 65535; the default is 5432")]
    Port,
    /// Unknown to the driver; usually an option of another program.
    #[error("the URL has the option `{0}`, which stripe-sync does not support; remove it")]
    UnknownOption(String),
    /// Not one of PostgreSQL's.
    #[error(
        "the sslmode in the URL must be disable, allow, prefer, require, verify-ca, verify-full or no-verify"
    )]
    SslMode,
    /// Anything else.
    #[error(
        "the database URL is invalid; the form is postgres://user:password@host:5432/database, with special characters in the password percent-encoded (@ as %40, / as %2F)"
    )]
    Unreadable,
}

/// Checks the form of a URL or keyword string.
pub(crate) fn check(text: &str) -> Result<(), DatabaseUrlError> {
    parse(text).map(|_| ())
}

/// The options of a URL or keyword string that are for other programs.
pub(crate) fn ignored_options(text: &str) -> Vec<&'static str> {
    UrlOptions::take(text.trim()).ignored
}

/// The addresses and the name of the database in a URL or keyword string.
pub(crate) fn place(text: &str) -> Option<(String, String)> {
    let (config, _) = parse(text).ok()?;
    // PostgreSQL's default for the database is the name of the user.
    let database = config.get_dbname().or(config.get_user()).unwrap_or_default().to_owned();
    Some((addresses(&config).join(", "), database))
}

/// Each address as `db.example.com:5432`, or the directory of a socket.
pub(super) fn addresses(config: &Config) -> Vec<String> {
    let port = |i: usize| match config.get_ports() {
        [] => 5432,
        [one] => *one,
        ports => ports.get(i).copied().unwrap_or(5432),
    };
    let one = |(i, host): (usize, &Host)| match host {
        Host::Tcp(name) => format!("{name}:{}", port(i)),
        Host::Unix(dir) => dir.display().to_string(),
    };
    config.get_hosts().iter().enumerate().map(one).collect()
}

/// Parses a URL or keyword string, including the TLS settings that the driver does not have.
pub(in crate::postgres) fn parse(text: &str) -> Result<(Config, TlsSettings), DatabaseUrlError> {
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
        check_password(text)?;
    }
    let options = UrlOptions::take(text);
    let config: Config =
        options.stripped.parse().map_err(|_| match unknown_option(text, is_url) {
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
    with_tls(config, &options)
}

fn with_tls(
    mut config: Config,
    options: &UrlOptions,
) -> Result<(Config, TlsSettings), DatabaseUrlError> {
    let local = is_local(&config);
    let (mode, verify) = match options.sslmode.as_deref() {
        Some("disable") => (SslMode::Disable, Verify::Full),
        Some("no-verify") => (SslMode::Require, Verify::Nothing),
        Some("verify-ca") => (SslMode::Require, Verify::Chain),
        Some("require" | "verify-full") => (SslMode::Require, Verify::Full),
        // A connection that stays on this machine uses TLS only on request.
        None | Some("prefer" | "allow") if local => (SslMode::Disable, Verify::Full),
        None | Some("prefer" | "allow") => (SslMode::Prefer, Verify::Full),
        Some(_) => return Err(DatabaseUrlError::SslMode),
    };
    config.ssl_mode(mode);
    let roots = options.sslrootcert.as_ref().map(PathBuf::from);
    Ok((config, TlsSettings { verify, roots }))
}

/// Whether every address is on this machine. If `hostaddr` is given, it is the address, and `host`
/// is only the name in the certificate.
fn is_local(config: &Config) -> bool {
    match config.get_hostaddrs() {
        [] => config.get_hosts().iter().all(|host| match host {
            Host::Tcp(name) => {
                name == "localhost"
                    || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
            }
            Host::Unix(_) => true,
        }),
        addresses => addresses.iter().all(IpAddr::is_loopback),
    }
}

/// Checks that no part of a password is parsed as something else, because messages would show it.
/// An @ after the host was meant to end the user name and password, so they contain a character
/// that is not percent-encoded.
fn check_password(url: &str) -> Result<(), DatabaseUrlError> {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let behind = &rest[authority.len()..];
    let (path, query) = behind.split_once('?').unwrap_or((behind, ""));
    let is_user_known = authority.contains('@');
    match path.contains('@') || (is_user_known && query.contains('@')) {
        true => Err(DatabaseUrlError::Unreadable),
        false => Ok(()),
    }
}

/// Checks that every `host:port` of the URL has a valid port or none.
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
        // The text in place of the port is the start of a password that contains a / or ?.
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
    fn sslmode_selects_encryption_and_verification() {
        let far = "postgres://u:p@db.example.com/x";
        for (url, mode, verify) in [
            (far, SslMode::Prefer, Verify::Full),
            ("postgres://u@db.example.com/x?sslmode=verify-full", SslMode::Require, Verify::Full),
            ("postgres://u@db.example.com/x?sslmode=verify-ca", SslMode::Require, Verify::Chain),
            ("postgres://u@db.example.com/x?sslmode=no-verify", SslMode::Require, Verify::Nothing),
            ("postgres://u@h/x?sslrootcert=/ca.pem", SslMode::Prefer, Verify::Full),
            ("postgres://u@h/x?sslrootcert=/c&sslmode=require", SslMode::Require, Verify::Full),
            ("postgres://u@h/x?sslrootcert=/c&sslmode=verify-ca", SslMode::Require, Verify::Chain),
            ("postgres://u@h/x?sslrootcert=/c&sslmode=verify-full", SslMode::Require, Verify::Full),
            ("postgres://u@h/x?sslrootcert=system&sslmode=require", SslMode::Require, Verify::Full),
            ("postgres://localhost/x", SslMode::Disable, Verify::Full),
            ("postgres://127.0.0.2/x", SslMode::Disable, Verify::Full),
            ("host=localhost hostaddr=10.0.0.1 user=u", SslMode::Prefer, Verify::Full),
            ("host=db.example.com hostaddr=127.0.0.1 user=u", SslMode::Disable, Verify::Full),
            ("host=db.example.com sslmode=require user=u", SslMode::Require, Verify::Full),
        ] {
            let (config, tls) = parse(url).expect(url);
            assert_eq!((config.get_ssl_mode(), tls.verify), (mode, verify), "{url}");
        }
        assert_eq!(parse("postgres://u@h/x?sslmode=maybe"), Err(DatabaseUrlError::SslMode));
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
            ("postgres://u:s3cret@h/x?a=s3cret&schema=public", UnknownOption("a".into())),
            ("host=h sslcert=/s3cret user=u", UnknownOption("sslcert".into())),
            ("postgres://u:5432/s3cret@h/x", Unreadable),
            ("postgres://u:p@h?application_name=s3cret@h/x", Unreadable),
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
            "postgres://h/x?user=u@h",
            "postgres://u:a#b@h/x",
            "postgres://u@h/x?pgbouncer=true&connection_limit=1&schema=public&pool_timeout=0",
            "postgres://u@h/x?supa=base-pooler.x&uselibpqcompat=true&sslaccept=strict",
        ] {
            assert!(parse(text).is_ok(), "{text}: {:?}", parse(text).err());
        }
    }
}
