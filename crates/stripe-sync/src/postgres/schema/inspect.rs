//! What a copy would find in a database: the schema, whose tables are in it, and whether this
//! user may do what a backfill does. Reads only, in a transaction that cannot write.

use tokio_postgres::types::Type;

use crate::account::Mode;
use crate::catalog::Catalog;
use crate::postgres::connection::server::Server;
use crate::postgres::error::PostgresError;
use crate::postgres::error_class::ErrorClass;
use crate::postgres::schema::shape::{STATE, Shape};
use crate::postgres::schema::{migrate, shape};
use crate::postgres::{Database, Names, names as ident};

/// What is where the tables go.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SchemaState {
    /// No such schema; the first migration makes it.
    Missing,
    /// The schema exists and holds none of our tables.
    Empty,
    /// It holds tables that another engine made, by our names for them.
    Foreign(Vec<String>),
    /// It has been migrated.
    Migrated {
        /// By this version; otherwise the next backfill adds what is missing.
        current: bool,
        /// Live or test, from the first use on.
        mode: Option<Mode>,
    },
}

/// A database as a backfill would find it.
#[derive(Debug)]
pub(crate) struct Inspection {
    pub(crate) server: Server,
    /// `None` if it could not be read.
    pub(crate) schema: Option<SchemaState>,
    pub(crate) objections: Vec<PostgresError>,
}

const DOING: &str = "cannot use the database";

impl Database {
    /// Looks at everything that a backfill needs, without stopping at the first objection.
    ///
    /// # Errors
    /// The database cannot be reached or read at all.
    pub(crate) async fn inspect(&self, names: &Names) -> Result<Inspection, PostgresError> {
        let fail = |e: tokio_postgres::Error| PostgresError::new("cannot look at the database", &e);
        let server = self.look().await?;
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
                    format!("the user {user} may not create the schema"),
                    format!(
                        "as the database's owner: grant create on database {database} to {user}"
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
        let found: Vec<Found> = found
            .iter()
            .map(|r| Found { name: r.get(0), owned: r.get(1), usable: r.get(2) })
            .collect();
        let ours = of_ours(names);
        let present: Vec<(&str, &Found)> = ours
            .iter()
            .filter_map(|(table, bare)| {
                Some((*table, found.iter().find(|relation| relation.name == *bare)?))
            })
            .collect();
        let may = Rights { names, server: &inspection.server, usage, create };
        let shape = shape::read(&transaction, names).await.map_err(fail)?;
        let in_the_way = migrate::in_the_way(DOING, names, &shape.obstacles());
        let (state, objections) = match (shape.is_migrated(), present.is_empty()) {
            (true, _) => {
                let readable = usage && present.iter().all(|(_, relation)| relation.usable);
                let state = match readable && in_the_way.is_none() {
                    true => {
                        let whole = shape.is_whole();
                        Some(migrated_state(&transaction, names, whole).await.map_err(fail)?)
                    }
                    false => None,
                };
                let current = !matches!(state, Some(SchemaState::Migrated { current: false, .. }));
                (state, may.on_tables(&present, current).or_else(|| may.behind_security(&shape)))
            }
            (false, _) if in_the_way.is_some() => (None, None),
            (false, true) => (Some(SchemaState::Empty), may.to_make_tables()),
            (false, false) => {
                let theirs: Vec<String> =
                    present.iter().map(|(table, _)| (*table).to_owned()).collect();
                let foreign = may.among_foreign(&theirs);
                (Some(SchemaState::Foreign(theirs)), Some(foreign))
            }
        };
        inspection.objections.extend(in_the_way);
        inspection.objections.extend(objections);
        inspection.schema = state;
        Ok(inspection)
    }
}

/// A relation in the schema.
struct Found {
    name: String,
    owned: bool,
    usable: bool,
}

/// What the user may do in the schema.
struct Rights<'a> {
    names: &'a Names,
    server: &'a Server,
    usage: bool,
    create: bool,
}

impl Rights<'_> {
    fn to_make_tables(&self) -> Option<PostgresError> {
        let (user, schema) = (ident::quote(&self.server.user), self.names.quoted_schema());
        (!self.usage || !self.create).then(|| {
            denied(
                format!("the user {user} may not create tables in schema {schema}"),
                format!("as the schema's owner: grant usage, create on schema {schema} to {user}"),
            )
        })
    }

    fn among_foreign(&self, theirs: &[String]) -> PostgresError {
        let schema = self.names.quoted_schema();
        PostgresError::own(
            DOING,
            format!(
                "schema {schema} has tables that stripe-sync did not make ({})",
                migrate::listed(theirs)
            ),
            ErrorClass::Rejected,
        )
        .with_hint(
            "if a TypeScript stripe-sync-engine made them, `stripe-sync migrate` takes them over \
             with every row, else give another --schema or --table-prefix",
        )
    }

    fn behind_security(&self, shape: &Shape) -> Option<PostgresError> {
        let shut = shape.shut();
        let user = ident::quote(&self.server.user);
        (!shut.is_empty()).then(|| {
            denied(
                format!(
                    "row-level security without any policy keeps the user {user} from {}",
                    migrate::listed(&shut)
                ),
                format!(
                    "as a superuser: alter role {user} bypassrls; or connect as the tables' owner"
                ),
            )
        })
    }

    fn on_tables(&self, present: &[(&str, &Found)], current: bool) -> Option<PostgresError> {
        let (user, schema) = (ident::quote(&self.server.user), self.names.quoted_schema());
        let unusable: Vec<&str> = present
            .iter()
            .filter(|(_, relation)| !relation.usable)
            .map(|(table, _)| *table)
            .collect();
        if !self.usage || !unusable.is_empty() {
            let which = match unusable.as_slice() {
                [] => format!("may not use schema {schema}"),
                [table] => format!("may not read and write the table {table} in schema {schema}"),
                [table, others @ ..] => format!(
                    "may not read and write the table {table} and {} more in schema {schema}",
                    others.len()
                ),
            };
            return Some(denied(
                format!("the user {user} {which}"),
                format!(
                    "as the schema's owner: grant usage on schema {schema} to {user}; grant \
                     select, insert, update, delete on all tables in schema {schema} to {user}"
                ),
            ));
        }
        let owns_all = self.create && present.iter().all(|(_, relation)| relation.owned);
        (!current && !owns_all).then(|| {
            denied(
                format!(
                    "the tables in schema {schema} are of another version of stripe-sync, and the \
                     user {user} may not add what is missing"
                ),
                "run once as the tables' owner: stripe-sync migrate".to_owned(),
            )
        })
    }
}

impl PostgresError {
    /// The schema belongs to the other mode.
    pub(crate) fn other_mode(names: &Names, key: Mode, bound: &str) -> PostgresError {
        PostgresError::own(
            format!("this is a {key} key"),
            format!(
                "schema {} holds {bound} data, and both modes share one account id; \
                 use the {bound} key, or another --schema or --table-prefix for {key} data",
                names.quoted_schema()
            ),
            ErrorClass::Rejected,
        )
    }
}

fn denied(what: String, next: String) -> PostgresError {
    PostgresError::own(DOING, what, ErrorClass::PermissionDenied).with_hint(next)
}

/// Every table that a copy has, with its name in the database.
fn of_ours(names: &Names) -> Vec<(&'static str, String)> {
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
    whole: bool,
) -> Result<SchemaState, tokio_postgres::Error> {
    let sql = format!(
        "select exists (select 1 from {} where catalog_version = $1),
                (select value from {} where key = 'mode')",
        names.table("_migrations"),
        names.table("_meta"),
    );
    let version = Catalog::get().version();
    let row = transaction.query_typed_one(&sql, &[(&version, Type::TEXT)]).await?;
    let mode: Option<String> = row.get(1);
    let current = whole && row.get(0);
    Ok(SchemaState::Migrated { current, mode: mode.as_deref().and_then(Mode::parse) })
}
