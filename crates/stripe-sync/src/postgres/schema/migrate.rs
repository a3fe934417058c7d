//! Migrates a schema to the tables of this version. Migrations are additive, can be repeated, and
//! are safe when several processes run them at once. Nothing is dropped and no row is moved.

use std::collections::HashSet;

use deadpool_postgres::Transaction;
use tokio_postgres::types::Type;

use crate::catalog::Catalog;
use crate::postgres::connection::contended::LOCK_TIMEOUT;
use crate::postgres::connection::pool::{Database, begin};
use crate::postgres::error::PostgresError;
use crate::postgres::names::{Names, literal};
use crate::postgres::schema::{ddl, engine_tables, obstacles, revision, shape, write_comments};

/// What a migration did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Migrated {
    /// Nothing: the schema was up to date.
    UpToDate,
    /// Created or changed tables.
    Changed,
}

const DOING: &str = "cannot migrate";

impl Database {
    /// Creates the schema and its tables, or adds what they lack, in one transaction. A schema that
    /// is up to date is only read.
    ///
    /// # Errors
    /// The user is not allowed to create what is missing, or another program uses one of our names.
    /// In both cases nothing has been changed.
    pub(crate) async fn migrate(&self, names: &Names) -> Result<Migrated, PostgresError> {
        let fail = |e: tokio_postgres::Error| PostgresError::new(DOING, &e);
        let catalog = Catalog::get();
        let mut client = self.get().await?;
        let transaction = begin(&mut client).await.map_err(fail)?;
        let lock = names.migration_lock_key();
        transaction
            .batch_execute(&format!("select pg_advisory_xact_lock({lock})"))
            .await
            .map_err(fail)?;
        let shape = shape::read(&transaction, names).await.map_err(fail)?;
        if let Some(error) = obstacles::conflicts(DOING, names, &shape.obstacles()) {
            return Err(error);
        }
        let migrated = shape.is_migrated();
        let (mut tables_are_current, mut revision) = (false, 0);
        if migrated {
            tables_are_current = shape.is_complete()
                && is_recorded(&transaction, names, catalog).await.map_err(fail)?;
            revision = revision::read(&transaction, names).await.map_err(fail)?;
        }
        if tables_are_current && revision >= revision::REVISION {
            return Ok(Migrated::UpToDate);
        }
        let foreign = shape.tables_without("_extra");
        if !migrated && !foreign.is_empty() {
            return Err(obstacles::foreign_tables(DOING, names, &foreign));
        }
        // Other sessions queue behind a statement that waits for a lock.
        let mut sql = format!(
            "set local client_min_messages = warning;\nset local lock_timeout = {};\n",
            LOCK_TIMEOUT.as_millis()
        );
        let mut alterations: Vec<(&String, String)> = Vec::new();
        if !schema_exists(&transaction, names).await.map_err(fail)? {
            sql.push_str(&format!("create schema {};\n", names.quoted_schema()));
        }
        if revision < revision::REVISION {
            sql.push_str(&revision::rename(names));
        }
        if !tables_are_current || revision < revision::REVISION {
            let lz4 = offers_lz4(&transaction).await.map_err(fail)?;
            let existing = relations(&transaction, names).await.map_err(fail)?;
            let all = ddl::create_all(catalog, names, lz4);
            sql.push_str(&ddl::missing_only(&all, |name| existing.contains(name)));
            if migrated {
                sql.push_str(&engine_tables::continue_run_ids(names));
                if revision < revision::REVISION {
                    sql.push_str(&revision::add_columns(names));
                }
                let lacks = |table| {
                    let has = |column: &str| shape.has_column(table, column);
                    Some((&table.name, ddl::add_columns(table, names, lz4, has)?))
                };
                alterations.extend(catalog.tables.iter().filter_map(lacks));
            }
            sql.push_str(&format!(
                "insert into {} (catalog_version) values ({}) on conflict do nothing;\n",
                names.table("_migrations"),
                literal(&catalog.version())
            ));
        }
        transaction.batch_execute(&sql).await.map_err(fail)?;
        for (table, alter) in alterations {
            transaction.batch_execute(&alter).await.map_err(|error| {
                let error = fail(error);
                match error.is_lock_timeout() {
                    true => PostgresError::lock_not_granted(table, None),
                    false => error,
                }
            })?;
        }
        let mut sql = write_comments::write(catalog, names);
        if revision < revision::REVISION {
            sql.push_str(&revision::store(names));
        }
        transaction.batch_execute(&sql).await.map_err(fail)?;
        transaction.commit().await.map_err(fail)?;
        Ok(Migrated::Changed)
    }

    /// Whether the schema has ever been migrated.
    pub(crate) async fn is_migrated(&self, names: &Names) -> Result<bool, PostgresError> {
        let sql = "select exists (select 1 from pg_catalog.pg_attribute
                   where attrelid = to_regclass($1) and attname = 'catalog_version')";
        let name = names.table("_migrations");
        let row = self
            .get()
            .await?
            .query_typed_one(sql, &[(&name, Type::TEXT)])
            .await
            .map_err(|e| PostgresError::new("cannot read the schema", &e))?;
        Ok(row.get(0))
    }
}

/// The names of all relations in the schema.
async fn relations(
    transaction: &Transaction<'_>,
    names: &Names,
) -> Result<HashSet<String>, tokio_postgres::Error> {
    let sql = "select c.relname::text from pg_catalog.pg_class c
               join pg_catalog.pg_namespace n on n.oid = c.relnamespace where n.nspname = $1";
    let rows = transaction.query_typed(sql, &[(&names.schema(), Type::TEXT)]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Whether a migration to this catalog's version is recorded.
async fn is_recorded(
    transaction: &Transaction<'_>,
    names: &Names,
    catalog: &Catalog,
) -> Result<bool, tokio_postgres::Error> {
    let sql = format!("select 1 from {} where catalog_version = $1", names.table("_migrations"));
    let row = transaction.query_typed_opt(&sql, &[(&catalog.version(), Type::TEXT)]).await?;
    Ok(row.is_some())
}

async fn schema_exists(
    transaction: &Transaction<'_>,
    names: &Names,
) -> Result<bool, tokio_postgres::Error> {
    // `create schema if not exists` needs the privilege to create one even if it exists.
    let sql = "select 1 from pg_catalog.pg_namespace where nspname = $1";
    Ok(transaction.query_typed_opt(sql, &[(&names.schema(), Type::TEXT)]).await?.is_some())
}

/// Whether the server can compress with lz4.
pub(in crate::postgres) async fn offers_lz4(
    transaction: &Transaction<'_>,
) -> Result<bool, tokio_postgres::Error> {
    let sql = "select coalesce('lz4' = any(enumvals), false) from pg_catalog.pg_settings
               where name = 'default_toast_compression'";
    Ok(transaction.query_typed_opt(sql, &[]).await?.is_some_and(|row| row.get(0)))
}
