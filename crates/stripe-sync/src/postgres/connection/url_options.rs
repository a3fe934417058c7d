//! The options of a database URL that the driver does not have: TLS settings that the engine
//! implements itself, and options for other programs, which are ignored with a note to the user.

use percent_encoding::percent_decode_str;

/// Options of Prisma, node-postgres, asyncpg and the poolers of Supabase and Neon, as found in
/// `DATABASE_URL`. None of them affects this engine.
const OTHER_PROGRAMS: [&str; 15] = [
    "binary_parameters",
    "connection_limit",
    "max_pool_size",
    "pgbouncer",
    "pool_mode",
    "pool_timeout",
    "prepare_threshold",
    "prepared_statements",
    "schema",
    "single_use_connections",
    "socket_timeout",
    "sslaccept",
    "statement_cache_size",
    "supa",
    "uselibpqcompat",
];

/// A URL or keyword string, separated from the options that the driver rejects.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct UrlOptions {
    /// The text for the driver.
    pub(super) stripped: String,
    pub(super) sslmode: Option<String>,
    pub(super) sslrootcert: Option<String>,
    /// Options for other programs.
    pub(super) ignored: Vec<&'static str>,
}

impl UrlOptions {
    /// Removes the options from a URL or keyword string. Does not check their values.
    pub(super) fn take(text: &str) -> UrlOptions {
        let is_url = text.starts_with("postgres://") || text.starts_with("postgresql://");
        let (head, options, separator) = match (is_url, text.split_once('?')) {
            (true, Some((head, query))) => (head, query, '&'),
            (true, None) => return UrlOptions { stripped: text.to_owned(), ..Default::default() },
            (false, _) => ("", text, ' '),
        };
        let mut taken = UrlOptions::default();
        let mut rest: Vec<&str> = Vec::new();
        for option in options.split(separator) {
            let (name, value) = option.trim().split_once('=').unwrap_or((option, ""));
            let value = || match is_url {
                true => percent_decode_str(value).decode_utf8_lossy().into_owned(),
                false => value.trim_matches('\'').to_owned(),
            };
            match name {
                "sslmode" => taken.sslmode = Some(value()),
                "sslrootcert" => taken.sslrootcert = Some(value()),
                _ => match OTHER_PROGRAMS.iter().find(|other| **other == name) {
                    Some(other) => taken.ignored.push(other),
                    None => rest.push(option),
                },
            }
        }
        let rest = rest.join(&separator.to_string());
        taken.stripped = match (is_url, rest.is_empty()) {
            (true, true) => head.to_owned(),
            (true, false) => format!("{head}?{rest}"),
            (false, _) => rest,
        };
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_options_unknown_to_the_driver_are_removed() {
        for (text, stripped, mode, certificates, ignored) in [
            (
                "postgres://u@h/d?sslmode=verify-full&application_name=x",
                "postgres://u@h/d?application_name=x",
                Some("verify-full"),
                None,
                vec![],
            ),
            ("host=h sslmode=require dbname=d", "host=h dbname=d", Some("require"), None, vec![]),
            ("postgres://u@h/d?sslmode=disable", "postgres://u@h/d", Some("disable"), None, vec![]),
            ("postgres://u@h/d", "postgres://u@h/d", None, None, vec![]),
            (
                "postgres://u@h/d?pgbouncer=true&connect_timeout=5&connection_limit=1&schema=public",
                "postgres://u@h/d?connect_timeout=5",
                None,
                None,
                vec!["pgbouncer", "connection_limit", "schema"],
            ),
            (
                "postgres://u@h/d?supa=base-pooler.x&sslrootcert=%2Fetc%2Fca%20file.pem",
                "postgres://u@h/d",
                None,
                Some("/etc/ca file.pem"),
                vec!["supa"],
            ),
            ("host=h sslrootcert='/ca.pem'", "host=h", None, Some("/ca.pem"), vec![]),
        ] {
            let expected = UrlOptions {
                stripped: stripped.to_owned(),
                sslmode: mode.map(str::to_owned),
                sslrootcert: certificates.map(str::to_owned),
                ignored,
            };
            assert_eq!(UrlOptions::take(text), expected, "{text}");
        }
    }
}
