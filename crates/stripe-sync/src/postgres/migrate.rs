//! Brings a schema to the shape of this build's catalog: additive, repeatable, safe when two
//! processes do it at once. Nothing is dropped, no row is moved.

use tokio_postgres::types::Type;

use super::ddl;
use super::error::{PostgresError, Trouble};
use super::ident::{Names, literal};
use super::{Database, ident};
use crate::account::Mode;
use crate::catalog::Catalog;

/// What a migration found and did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Migrated {
    /// The schema had this catalog's shape already.
    UpToDate,
    /// Tables or columns were made.
    Changed,
}

const DOING: &str = "cannot migrate";

impl Database {
    /// Makes the schema, its tables and the engine's state, in one transaction.
    ///
    /// # Errors
    /// The user may not create what is missing, or a table of one of our names exists that is
    /// not ours. Nothing has been changed then.
    pub(crate) async fn migrate(&self, names: &Names) -> Result<Migrated, PostgresError> {
        let fail = |e: tokio_postgres::Error| PostgresError::new(DOING, &e);
        let catalog = Catalog::get();
        let mut client = self.get().await?;
        let transaction = client.transaction().await.map_err(fail)?;
        let lock = names.lock_key("migrate");
        transaction
            .batch_execute(&format!("select pg_advisory_xact_lock({lock})"))
            .await
            .map_err(fail)?;
        let existing: Vec<(String, bool)> = transaction
            .query_typed(
                "select c.relname::text, exists (select 1 from pg_catalog.pg_attribute a
                   where a.attrelid = c.oid and a.attname = '_extra' and not a.attisdropped)
                 from pg_catalog.pg_class c
                 join pg_catalog.pg_namespace n on n.oid = c.relnamespace
                 where n.nspname = $1 and c.relkind in ('r', 'p', 'v', 'm', 'f')",
                &[(&names.schema(), Type::TEXT)],
            )
            .await
            .map_err(fail)?
            .iter()
            .map(|row| (row.get(0), row.get(1)))
            .collect();
        let migrations = names.bare("_migrations");
        let ours = existing.iter().any(|(table, _)| *table == migrations);
        if ours && is_current(&transaction, names, catalog).await.map_err(fail)? {
            return Ok(Migrated::UpToDate);
        }
        if !ours {
            refuse_foreign(names, catalog, &existing)?;
        }
        let lz4 = offers_lz4(&transaction).await.map_err(fail)?;
        let mut sql = String::new();
        if existing.is_empty() && !schema_exists(&transaction, names).await.map_err(fail)? {
            sql.push_str(&format!("create schema {};\n", names.quoted_schema()));
        }
        sql.push_str("set local client_min_messages = warning;\n");
        sql.push_str(&ddl::create_all(catalog, names, lz4));
        if ours {
            for table in &catalog.tables {
                sql.push_str(&ddl::add_columns(table, names, lz4));
            }
        }
        sql.push_str(&format!(
            "insert into {} (catalog_version) values ({});\n",
            names.table("_migrations"),
            literal(&catalog.version())
        ));
        transaction.batch_execute(&sql).await.map_err(fail)?;
        transaction.commit().await.map_err(fail)?;
        Ok(Migrated::Changed)
    }

    /// Binds the schema to a mode at its first use and refuses the other one ever after.
    ///
    /// # Errors
    /// The schema holds data of the other mode; nothing has been changed.
    pub(crate) async fn bind_mode(&self, names: &Names, mode: Mode) -> Result<(), PostgresError> {
        let fail =
            |e: tokio_postgres::Error| PostgresError::new("cannot read the schema's mode", &e);
        let client = self.get().await?;
        let meta = names.table("_meta");
        client
            .execute_typed(
                &format!(
                    "insert into {meta} (key, value) values ('mode', $1) on conflict do nothing"
                ),
                &[(&mode.as_str(), Type::TEXT)],
            )
            .await
            .map_err(fail)?;
        let row = client
            .query_typed_one(&format!("select value from {meta} where key = 'mode'"), &[])
            .await
            .map_err(fail)?;
        let bound: String = row.get(0);
        if Mode::parse(&bound) == Some(mode) {
            return Ok(());
        }
        Err(PostgresError::other_mode(names, mode, &bound))
    }

    /// Builds the indexes that wait for the first backfill. Another process may do the same.
    pub(crate) async fn build_late_indexes(
        &self,
        names: &Names,
        table: &crate::catalog::Table,
    ) -> Result<(), PostgresError> {
        let indexes = ddl::late_indexes(table, names);
        if indexes.is_empty() {
            return Ok(());
        }
        let fail = |e: tokio_postgres::Error| {
            PostgresError::new(format!("cannot index {}", table.name), &e)
        };
        let mut client = self.get().await?;
        let transaction = client.transaction().await.map_err(fail)?;
        let lock = names.lock_key("index");
        transaction
            .batch_execute(&format!(
                "set local client_min_messages = warning;
                 select pg_advisory_xact_lock({lock}); {}",
                indexes.join("; ")
            ))
            .await
            .map_err(fail)?;
        transaction.commit().await.map_err(fail)
    }
}

async fn is_current(
    transaction: &deadpool_postgres::Transaction<'_>,
    names: &Names,
    catalog: &Catalog,
) -> Result<bool, tokio_postgres::Error> {
    let sql = format!("select 1 from {} where catalog_version = $1", names.table("_migrations"));
    let row = transaction.query_typed_opt(&sql, &[(&catalog.version(), Type::TEXT)]).await?;
    Ok(row.is_some())
}

/// A table of ours without our columns was made by someone else. One with them has been taken
/// over, though the takeover did not come to its end.
fn refuse_foreign(
    names: &Names,
    catalog: &Catalog,
    existing: &[(String, bool)],
) -> Result<(), PostgresError> {
    let foreign: Vec<&str> = catalog
        .tables
        .iter()
        .filter(|t| existing.contains(&(names.bare(&t.name), false)))
        .map(|t| t.name.as_str())
        .collect();
    if foreign.is_empty() {
        return Ok(());
    }
    let shown = foreign.iter().take(5).copied().collect::<Vec<_>>().join(", ");
    let more = match foreign.len() {
        0..=5 => String::new(),
        n => format!(" and {} more", n - 5),
    };
    Err(PostgresError::own(
        DOING,
        format!(
            "schema {} already has tables that stripe-sync did not make ({shown}{more}); \
             nothing was changed; if a TypeScript stripe-sync-engine made them, `stripe-sync \
             migrate` takes them over with every row, else give another --schema or --table-prefix",
            ident::quote(names.schema())
        ),
        Trouble::Refused,
    ))
}

async fn schema_exists(
    transaction: &deadpool_postgres::Transaction<'_>,
    names: &Names,
) -> Result<bool, tokio_postgres::Error> {
    // `create schema if not exists` wants the right to create even when it exists.
    let sql = "select 1 from pg_catalog.pg_namespace where nspname = $1";
    Ok(transaction.query_typed_opt(sql, &[(&names.schema(), Type::TEXT)]).await?.is_some())
}

pub(super) async fn offers_lz4(
    transaction: &deadpool_postgres::Transaction<'_>,
) -> Result<bool, tokio_postgres::Error> {
    let sql = "select coalesce('lz4' = any(enumvals), false) from pg_catalog.pg_settings
               where name = 'default_toast_compression'";
    Ok(transaction.query_typed_opt(sql, &[]).await?.is_some_and(|row| row.get(0)))
}
