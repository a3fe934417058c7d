//! Checks whether the user has the privileges that a backfill needs.

use crate::postgres::connection::server::Server;
use crate::postgres::error::PostgresError;
use crate::postgres::error_class::ErrorClass;
use crate::postgres::names::{self, Names};
use crate::postgres::schema::obstacles;
use crate::postgres::schema::shape::Shape;

/// A relation and what the user may do with it.
pub(super) struct Relation {
    pub(super) name: String,
    pub(super) owned: bool,
    /// The user may read and write it.
    pub(super) usable: bool,
}

/// The privileges of the user on the schema.
pub(super) struct Privileges<'a> {
    pub(super) doing: &'static str,
    pub(super) names: &'a Names,
    pub(super) server: &'a Server,
    pub(super) usage: bool,
    pub(super) create: bool,
}

impl Privileges<'_> {
    /// The error if the user is not allowed to create tables.
    pub(super) fn to_create_tables(&self) -> Option<PostgresError> {
        let (user, schema) = (names::quote(&self.server.user), self.names.quoted_schema());
        (!self.usage || !self.create).then(|| {
            self.denied(
                format!("the user {user} is not allowed to create tables in schema {schema}"),
                format!(
                    "as the owner of the schema: grant usage, create on schema {schema} to {user}"
                ),
            )
        })
    }

    /// The error if row-level security hides every row of a table.
    pub(super) fn to_see_rows(&self, shape: &Shape) -> Option<PostgresError> {
        let hidden = shape.hidden();
        let user = names::quote(&self.server.user);
        (!hidden.is_empty()).then(|| {
            self.denied(
                format!(
                    "row-level security without a policy hides the rows of {} from the user {user}",
                    obstacles::first_five(&hidden)
                ),
                format!(
                    "as a superuser: alter role {user} bypassrls; or connect as the owner of the tables"
                ),
            )
        })
    }

    /// The error if the user is not allowed to use the tables, or not allowed to migrate them and
    /// they are not current.
    pub(super) fn to_use_tables(
        &self,
        present: &[(&str, &Relation)],
        current: bool,
    ) -> Option<PostgresError> {
        let (user, schema) = (names::quote(&self.server.user), self.names.quoted_schema());
        let unusable: Vec<&str> = present
            .iter()
            .filter(|(_, relation)| !relation.usable)
            .map(|(table, _)| *table)
            .collect();
        if !self.usage || !unusable.is_empty() {
            let which = match unusable.as_slice() {
                [] => format!("is not allowed to use schema {schema}"),
                [table] => {
                    format!("is not allowed to read and write the table {table} in schema {schema}")
                }
                [table, others @ ..] => format!(
                    "is not allowed to read and write the table {table} and {} more in schema {schema}",
                    others.len()
                ),
            };
            return Some(self.denied(
                format!("the user {user} {which}"),
                format!(
                    "as the owner of the schema: grant usage on schema {schema} to {user}; grant \
                     select, insert, update, delete on all tables in schema {schema} to {user}"
                ),
            ));
        }
        let owns_all = self.create && present.iter().all(|(_, relation)| relation.owned);
        (!current && !owns_all).then(|| {
            self.denied(
                format!(
                    "the tables in schema {schema} are from another version of stripe-sync, and the \
                     user {user} is not allowed to change them"
                ),
                "run `stripe-sync migrate` once as the owner of the tables".to_owned(),
            )
        })
    }

    fn denied(&self, message: String, hint: String) -> PostgresError {
        denied(self.doing, message, hint)
    }
}

/// The error for a missing privilege.
pub(super) fn denied(doing: &str, message: String, hint: String) -> PostgresError {
    PostgresError::own(doing, message, ErrorClass::PermissionDenied).with_hint(hint)
}
