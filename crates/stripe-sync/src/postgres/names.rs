//! Names in the database. The only place that quotes identifiers.

use std::fmt::Write as _;

use crate::hash::fnv1a;

/// PostgreSQL truncates longer names (`NAMEDATALEN` - 1).
const LONGEST: usize = 63;
const LONGEST_PREFIX: usize = 30;

/// A quoted identifier.
pub(super) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A quoted literal, for DDL and other statements without parameters.
pub(super) fn literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    match quoted.contains('\\') {
        true => format!(" E'{}'", quoted.replace('\\', "\\\\")),
        false => format!("'{quoted}'"),
    }
}

/// The schema and table prefix that hold one copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    schema: String,
    prefix: String,
}

/// Why a text cannot be a schema name or a table prefix.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadName {
    /// A Stripe key or webhook secret in the wrong place. It would appear in the server's log.
    #[error("the {0} looks like a Stripe secret; choose another name")]
    Secret(&'static str),
    /// An empty schema name.
    #[error("the schema name is empty; omit --schema to use `stripe`")]
    EmptySchema,
    /// PostgreSQL reserves names that begin with `pg_`.
    #[error("schema names that begin with pg_ are reserved by PostgreSQL; choose another name")]
    Reserved,
    /// Longer than PostgreSQL's 63 bytes.
    #[error("the schema name is {0} bytes long, but PostgreSQL allows at most 63; shorten it")]
    LongSchema(usize),
    /// Longer than 30 bytes, which leave room for the longest table name.
    #[error(
        "the table prefix is {0} bytes long, but at most 30 fit before the longest table name; shorten it"
    )]
    LongPrefix(usize),
    /// The SQL standard reserves `information_schema`.
    #[error("information_schema is reserved by PostgreSQL; choose another name")]
    InformationSchema,
    /// Whitespace at the beginning or end, or a control character such as a line break.
    #[error(
        "the {0} begins or ends with whitespace or contains a line break or another control character; remove it"
    )]
    Invisible(&'static str),
}

impl Names {
    /// Checks a schema name and a table prefix; the prefix may be empty. `billing` and `billing_`
    /// are the same prefix, as they are for the TypeScript engine.
    ///
    /// # Errors
    /// See [`BadName`].
    pub fn new(schema: &str, prefix: &str) -> Result<Names, BadName> {
        if schema.is_empty() {
            return Err(BadName::EmptySchema);
        }
        for (what, name) in [("schema name", schema), ("table prefix", prefix)] {
            if ["sk_test_", "sk_live_", "rk_test_", "rk_live_", "whsec_"]
                .iter()
                .any(|secret| name.starts_with(secret))
            {
                return Err(BadName::Secret(what));
            }
            if name.trim() != name || name.contains(char::is_control) {
                return Err(BadName::Invisible(what));
            }
        }
        if schema.to_ascii_lowercase().starts_with("pg_") {
            return Err(BadName::Reserved);
        }
        if schema.eq_ignore_ascii_case("information_schema") {
            return Err(BadName::InformationSchema);
        }
        if schema.len() > LONGEST {
            return Err(BadName::LongSchema(schema.len()));
        }
        let prefix = prefix.strip_suffix('_').unwrap_or(prefix);
        if prefix.len() > LONGEST_PREFIX {
            return Err(BadName::LongPrefix(prefix.len()));
        }
        Ok(Names { schema: schema.to_owned(), prefix: prefix.to_owned() })
    }

    /// The schema, unquoted.
    pub fn schema(&self) -> &str {
        &self.schema
    }

    pub(super) fn quoted_schema(&self) -> String {
        quote(&self.schema)
    }

    /// The unquoted name of a table or view with the prefix. Engine tables keep their underscore:
    /// with the prefix `billing`, `_runs` is `billing__runs`.
    pub(super) fn bare(&self, table: &str) -> String {
        match self.prefix.is_empty() {
            true => shorten(table),
            false => shorten(&format!("{}_{table}", self.prefix)),
        }
    }

    /// `"schema"."prefix_table"`
    pub(super) fn table(&self, table: &str) -> String {
        format!("{}.{}", quote(&self.schema), quote(&self.bare(table)))
    }

    /// The quoted name of an index. An index is in the schema of its table.
    pub(super) fn index(&self, table: &str, column: &str) -> String {
        quote(&shorten(&format!("{}_{column}_idx", self.bare(table))))
    }

    /// The key of the advisory lock for writing one account's rows in a table.
    pub(super) fn table_lock_key(&self, table: &str, account: &str) -> i64 {
        self.lock_key(&format!("{table}/{account}"))
    }

    /// The key of the advisory lock for changing tables. It does not depend on the prefix, because
    /// the first migration creates the schema itself.
    pub(super) fn migration_lock_key(&self) -> i64 {
        fnv1a(&format!("stripe-sync/{}/migrate", self.schema)).cast_signed()
    }

    /// The key of an advisory lock: the same in every process for the same schema, prefix and
    /// purpose.
    pub(super) fn lock_key(&self, purpose: &str) -> i64 {
        fnv1a(&format!("stripe-sync/{}/{}/{purpose}", self.schema, self.prefix)).cast_signed()
    }
}

/// Shortens a name that is too long. It then ends in a hash of the whole name, so that different
/// names stay different.
fn shorten(name: &str) -> String {
    if name.len() <= LONGEST {
        return name.to_owned();
    }
    let mut cut = LONGEST - 17;
    while !name.is_char_boundary(cut) {
        cut -= 1;
    }
    let mut short = name[..cut].to_owned();
    write!(short, "_{:016x}", fnv1a(name)).expect("writing to a string");
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_quoted() {
        let names = Names::new("my \"schema\"", "b'x").expect("names");
        assert_eq!(names.table("customers"), "\"my \"\"schema\"\"\".\"b'x_customers\"");
        assert_eq!(Names::new("s", "b_"), Names::new("s", "b"));
        assert_eq!(literal("it's"), "'it''s'");
        assert_eq!(literal("a\\'b"), " E'a\\\\''b'");
    }

    #[test]
    fn long_names_fit_and_stay_different() {
        let names = Names::new("s", "p23456789012345678901234567890").expect("names");
        let one = names.bare("billing_credit_balance_transactions");
        let two = names.bare("billing_credit_balance_transactiont");
        assert_eq!((one.len(), two.len()), (63, 63));
        assert_ne!(one, two);
    }

    #[test]
    fn names_that_postgres_would_refuse_or_truncate_are_errors() {
        assert_eq!(Names::new("", ""), Err(BadName::EmptySchema));
        assert_eq!(Names::new("pg_x", ""), Err(BadName::Reserved));
        assert_eq!(Names::new(&"x".repeat(64), ""), Err(BadName::LongSchema(64)));
        assert_eq!(Names::new("s", &"é".repeat(16)), Err(BadName::LongPrefix(32)));
        for name in ["a\0", "a\nb", " ", "a ", "\tb"] {
            assert_eq!(Names::new(name, ""), Err(BadName::Invisible("schema name")), "{name:?}");
            assert_eq!(Names::new("s", name), Err(BadName::Invisible("table prefix")), "{name:?}");
        }
        assert_eq!(Names::new("Information_Schema", ""), Err(BadName::InformationSchema));
        assert!(Names::new("public", "a b").is_ok());
    }
}
