//! Inspects a database before a backfill: the schema, who created its tables, and the privileges of
//! the user. Runs in a read-only transaction.

use tokio_postgres::types::Type;

use crate::account::Mode;
use crate::catalog::Catalog;
use crate::postgres::connection::pool::Database;
use crate::postgres::connection::server::Server;
use crate::postgres::error::PostgresError;
use crate::postgres::meta_keys::{MODE, SCHEMA_REVISION};
use crate::postgres::names::{self as ident, Names};
use crate::postgres::schema::privileges::{Privileges, Relation, denied};
use crate::postgres::schema::shape::STATE;
use crate::postgres::schema::{obstacles, revision, shape};

/// What a schema contains.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SchemaState {
    /// The schema does not exist. The first migration creates it.
    Missing,
    /// The schema exists and has no tables of a copy.
    Empty,
    /// The schema has tables that another engine created. The names have no table prefix.
    Foreign(Vec<String>),
    /// The schema has been migrated.
    Migrated {
        /// Whether it is up to date. Otherwise the next backfill migrates it.
        current: bool,
        /// Live or test. `None` before the first use.
        mode: Option<Mode>,
    },
}

/// The result of an inspection.
#[derive(Debug)]
pub(crate) struct Inspection {
    pub(crate) server: Server,
    /// `None` if it could not be read.
    pub(crate) schema: Option<SchemaState>,
    /// Reasons why a backfill is impossible.
    pub(crate) objections: Vec<PostgresError>,
}

const DOING: &str = "cannot use the database";

impl Database {
    /// Inspects everything that a backfill needs, without stopping at the first objection.
    ///
    /// # Errors
    /// The database cannot be reached or read.
    pub(crate) async fn inspect(&self, names: &Names) -> Result<Inspection, PostgresError> {
        let fail = |e: tokio_postgres::Error| PostgresError::new("cannot inspect the database", &e);
        let server = self.server_when_ready().await?;
        let mut inspection = Inspection { objections: server.objections(), server, schema: None };
        let mut client = self.get().await?;
        let transaction = client.build_transaction().read_only(true).start().await.map_err(fail)?;
        let schema = transaction
            .query_typed_opt(
                "select n.oid, has_schema_privilege(n.oid, 'usage'),
                        has_schema_privilege(n.oid, 'create')
                 from pg_catalog.pg_namespace n where n.nspname = $1",
                &[(&names.schema(), Type::TEXT)],
            )
            .await
            .map_err(fail)?;
        let Some(schema) = schema else {
            let sql = "select has_database_privilege(current_database(), 'create')";
            if !transaction.query_typed_one(sql, &[]).await.map_err(fail)?.get::<_, bool>(0) {
                let (user, database) = (
                    ident::quote(&inspection.server.user),
                    ident::quote(&inspection.server.database),
                );
                inspection.objections.push(denied(
                    DOING,
                    format!("the user {user} is not allowed to create the schema"),
                    format!(
                        "as the owner of the database: grant create on database {database} to {user}"
                    ),
                ));
            }
            inspection.schema = Some(SchemaState::Missing);
            return Ok(inspection);
        };
        let (oid, usage, create): (u32, bool, bool) = (schema.get(0), schema.get(1), schema.get(2));
        let found = transaction
            .query_typed(
                "select c.relname::text, pg_has_role(c.relowner, 'usage'),
                        c.relkind not in ('r', 'p')
                        or has_table_privilege(c.oid, 'select') and has_table_privilege(c.oid, 'insert')
                       and has_table_privilege(c.oid, 'update') and has_table_privilege(c.oid, 'delete')
                 from pg_catalog.pg_class c
                 where c.relnamespace = $1 and c.relkind in ('r', 'p', 'v', 'm', 'f')",
                &[(&oid, Type::OID)],
            )
            .await
            .map_err(fail)?;
        let found: Vec<Relation> = found
            .iter()
            .map(|r| Relation { name: r.get(0), owned: r.get(1), usable: r.get(2) })
            .collect();
        let ours = tables_of_a_copy(names);
        let present: Vec<(&str, &Relation)> = ours
            .iter()
            .filter_map(|(table, bare)| {
                Some((*table, found.iter().find(|relation| relation.name == *bare)?))
            })
            .collect();
        let privileges =
            Privileges { doing: DOING, names, server: &inspection.server, usage, create };
        let shape = shape::read(&transaction, names).await.map_err(fail)?;
        let conflicts = obstacles::conflicts(DOING, names, &shape.obstacles());
        let (state, objections) = match (shape.is_migrated(), present.is_empty()) {
            (true, _) => {
                let readable = usage && present.iter().all(|(_, relation)| relation.usable);
                let state = match readable && conflicts.is_none() {
                    true => {
                        let complete = shape.is_complete();
                        Some(migrated_state(&transaction, names, complete).await.map_err(fail)?)
                    }
                    false => None,
                };
                let current = !matches!(state, Some(SchemaState::Migrated { current: false, .. }));
                let denied = privileges.to_use_tables(&present, current);
                (state, denied.or_else(|| privileges.to_see_rows(&shape)))
            }
            (false, _) if conflicts.is_some() => (None, None),
            (false, true) => (Some(SchemaState::Empty), privileges.to_create_tables()),
            (false, false) => {
                let foreign: Vec<String> =
                    present.iter().map(|(table, _)| (*table).to_owned()).collect();
                let error = obstacles::foreign_tables(DOING, names, &foreign);
                (Some(SchemaState::Foreign(foreign)), Some(error))
            }
        };
        inspection.objections.extend(conflicts);
        inspection.objections.extend(objections);
        inspection.schema = state;
        Ok(inspection)
    }
}

/// Every table of a copy, with its name in the database.
fn tables_of_a_copy(names: &Names) -> Vec<(&'static str, String)> {
    let tables = Catalog::get().tables.iter().map(|table| table.name.as_str());
    STATE
        .into_iter()
        .map(|(name, _)| name)
        .chain(tables)
        .map(|table| (table, names.bare(table)))
        .collect()
}

async fn migrated_state(
    transaction: &deadpool_postgres::Transaction<'_>,
    names: &Names,
    complete: bool,
) -> Result<SchemaState, tokio_postgres::Error> {
    let sql = format!(
        "select exists (select 1 from {} where catalog_version = $1),
                (select value from {meta} where key = '{MODE}'),
                (select value from {meta} where key = '{SCHEMA_REVISION}')",
        names.table("_migrations"),
        meta = names.table("_meta"),
    );
    let version = Catalog::get().version();
    let row = transaction.query_typed_one(&sql, &[(&version, Type::TEXT)]).await?;
    let mode: Option<String> = row.get(1);
    let revision: Option<String> = row.get(2);
    let revision = revision.and_then(|text| text.parse::<u32>().ok()).unwrap_or(1);
    let current = complete && row.get(0) && revision >= revision::REVISION;
    Ok(SchemaState::Migrated { current, mode: mode.as_deref().and_then(Mode::parse) })
}
