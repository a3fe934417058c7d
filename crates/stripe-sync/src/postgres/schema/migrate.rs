//! Brings a schema to the shape of this build's catalog: additive, repeatable, safe when two
//! processes do it at once. Nothing is dropped, no row is moved.

use tokio_postgres::types::Type;

use crate::account::Mode;
use crate::catalog::Catalog;
use crate::postgres::Database;
use crate::postgres::connection::pool::begin;
use crate::postgres::error::PostgresError;
use crate::postgres::error_class::ErrorClass;
use crate::postgres::names::{Names, literal};
use crate::postgres::schema::ddl;
use crate::postgres::schema::shape;

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
        let transaction = begin(&mut client).await.map_err(fail)?;
        let lock = names.lock_key("migrate");
        transaction
            .batch_execute(&format!("select pg_advisory_xact_lock({lock})"))
            .await
            .map_err(fail)?;
        let shape = shape::read(&transaction, names).await.map_err(fail)?;
        let ours = shape.is_migrated();
        let current = ours && is_current(&transaction, names, catalog).await.map_err(fail)?;
        let obstacles = shape.obstacles();
        if let Some(error) = in_the_way(DOING, names, &obstacles) {
            return Err(error);
        }
        if current && shape.is_whole() {
            return Ok(Migrated::UpToDate);
        }
        if !ours {
            refuse_foreign(names, &shape.without("_extra"))?;
        }
        let lz4 = offers_lz4(&transaction).await.map_err(fail)?;
        let mut sql = String::new();
        if !schema_exists(&transaction, names).await.map_err(fail)? {
            sql.push_str(&format!("create schema {};\n", names.quoted_schema()));
        }
        sql.push_str("set local client_min_messages = warning;\n");
        if ours {
            sql.push_str(&ddl::rename_slice_columns(names));
        }
        sql.push_str(&ddl::create_all(catalog, names, lz4));
        if ours {
            sql.push_str(&ddl::never_number_again(names));
            for table in &catalog.tables {
                sql.push_str(&ddl::add_columns(table, names, lz4));
            }
        }
        sql.push_str(&format!(
            "insert into {} (catalog_version) values ({}) on conflict do nothing;\n",
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
        let transaction = begin(&mut client).await.map_err(fail)?;
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

/// What no migration can put right.
pub(in crate::postgres) fn in_the_way(
    doing: &str,
    names: &Names,
    obstacles: &[String],
) -> Option<PostgresError> {
    (!obstacles.is_empty()).then(|| {
        PostgresError::own(
            doing,
            format!(
                "schema {} is not as stripe-sync needs it: {}",
                names.quoted_schema(),
                listed(obstacles)
            ),
            ErrorClass::Rejected,
        )
        .with_hint(
            "nothing was changed; put back or rename what is named, or give another --schema or \
             --table-prefix",
        )
    })
}

/// A table of ours without our columns was made by someone else. One with them has been taken
/// over, though the takeover did not come to its end.
fn refuse_foreign(names: &Names, foreign: &[String]) -> Result<(), PostgresError> {
    if foreign.is_empty() {
        return Ok(());
    }
    Err(PostgresError::own(
        DOING,
        format!(
            "schema {} already has tables that stripe-sync did not make ({}); \
             nothing was changed; if a TypeScript stripe-sync-engine made them, `stripe-sync \
             migrate` takes them over with every row, else give another --schema or --table-prefix",
            names.quoted_schema(),
            listed(foreign),
        ),
        ErrorClass::Rejected,
    ))
}

/// The first five.
pub(in crate::postgres) fn listed(names: &[String]) -> String {
    let shown = names.iter().take(5).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len() {
        0..=5 => shown,
        count => format!("{shown} and {} more", count - 5),
    }
}

async fn schema_exists(
    transaction: &deadpool_postgres::Transaction<'_>,
    names: &Names,
) -> Result<bool, tokio_postgres::Error> {
    // `create schema if not exists` wants the right to create even when it exists.
    let sql = "select 1 from pg_catalog.pg_namespace where nspname = $1";
    Ok(transaction.query_typed_opt(sql, &[(&names.schema(), Type::TEXT)]).await?.is_some())
}

pub(in crate::postgres) async fn offers_lz4(
    transaction: &deadpool_postgres::Transaction<'_>,
) -> Result<bool, tokio_postgres::Error> {
    let sql = "select coalesce('lz4' = any(enumvals), false) from pg_catalog.pg_settings
               where name = 'default_toast_compression'";
    Ok(transaction.query_typed_opt(sql, &[]).await?.is_some_and(|row| row.get(0)))
}
