//! Names in the database: the one place that quotes identifiers.

use std::fmt::Write as _;

use crate::hash::fnv1a;

/// PostgreSQL cuts longer names off (`NAMEDATALEN` - 1).
const LONGEST: usize = 63;
const LONGEST_PREFIX: usize = 30;

/// A quoted identifier.
pub(super) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A quoted literal, for DDL and the few places that take no parameters.
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

/// A schema or prefix that PostgreSQL would refuse or cut off.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadName {
    /// No name at all.
    #[error("the schema name is empty; leave --schema out for `stripe`")]
    EmptySchema,
    /// PostgreSQL keeps `pg_` for itself.
    #[error("schema names that begin with pg_ belong to PostgreSQL; choose another name")]
    Reserved,
    /// Longer than PostgreSQL's 63 bytes.
    #[error("the schema name is {0} bytes long, and PostgreSQL takes at most 63; shorten it")]
    LongSchema(usize),
    /// Longer than the 30 bytes that leave room for the longest table name.
    #[error(
        "the table prefix is {0} bytes long, and at most 30 fit before the longest table name; shorten it"
    )]
    LongPrefix(usize),
    /// The standard keeps `information_schema` for itself.
    #[error("information_schema belongs to PostgreSQL; choose another name")]
    InformationSchema,
    /// Blanks around a name, a line break or another control character are slips.
    #[error(
        "the {0} begins or ends with a blank, or has a line break or another control character in it; leave that out"
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

    /// The name of a table or view as it stands in the catalog of PostgreSQL. Engine tables are
    /// asked for with their underscore: `_runs` is `billing__runs` under the prefix `billing`.
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

    /// The quoted name of an index; indexes live in their table's schema.
    pub(super) fn index(&self, table: &str, column: &str) -> String {
        quote(&shorten(&format!("{}_{column}_idx", self.bare(table))))
    }

    /// The key of the advisory lock that writers of one account's rows in a table take.
    pub(super) fn table_lock_key(&self, table: &str, account: &str) -> i64 {
        self.lock_key(&format!("{table}/{account}"))
    }

    /// The key of an advisory lock: the same for every process that means the same table.
    pub(super) fn lock_key(&self, purpose: &str) -> i64 {
        fnv1a(&format!("stripe-sync/{}/{}/{purpose}", self.schema, self.prefix)).cast_signed()
    }
}

/// Names that do not fit end in a hash of the whole, so that two of them stay apart.
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
    fn quotes_whatever_users_choose() {
        let names = Names::new("my \"schema\"", "b'x").expect("names");
        assert_eq!(names.table("customers"), "\"my \"\"schema\"\"\".\"b'x_customers\"");
        assert_eq!(Names::new("s", "b_"), Names::new("s", "b"));
        assert_eq!(literal("it's"), "'it''s'");
        assert_eq!(literal("a\\'b"), " E'a\\\\''b'");
    }

    #[test]
    fn long_names_stay_apart_and_fit() {
        let names = Names::new("s", "p23456789012345678901234567890").expect("names");
        let one = names.bare("billing_credit_balance_transactions");
        let two = names.bare("billing_credit_balance_transactiont");
        assert_eq!((one.len(), two.len()), (63, 63));
        assert_ne!(one, two);
    }

    #[test]
    fn refuses_what_postgres_would_refuse_or_cut() {
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
