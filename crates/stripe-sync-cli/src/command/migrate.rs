//! `stripe-sync migrate`: the schema and its tables.

use serde_json::json;
use stripe_sync::StripeSync;

use crate::args::Migrate;
use crate::columns::{self, Choice};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;
use crate::settings::{Database, Stripe};
use crate::{number, talk};

pub(super) async fn run(args: &Migrate, session: &Session) -> Result<Exit, Failure> {
    let columns = Choice::resolve(&args.columns, &session.environment)?;
    let database = Database::resolve(&session.connection, &session.environment)?;
    let place = database.open().await?;
    let mut config = database.config(place.url());
    columns.add_to(&mut config);
    let mut sync = StripeSync::connect(config.clone()).await?;
    let adoption = sync.adoption().await?;
    if let Some(adoption) = &adoption {
        super::adoption::tell(adoption, database.names.schema());
        Stripe::add_what_is_given(&session.connection, &session.environment, &mut config)?;
        if args.yes {
            config.rewrite_limit = u64::MAX;
        }
        sync = StripeSync::connect(config).await?;
    }
    let migration = sync.migrate().await?;
    columns::tell(&migration.excluded);
    if columns.take_in(&sync).await? {
        talk::note("rows get them back as they are read again: stripe-sync backfill --fresh");
    }
    let left_out = sync.excluded_columns().await?;
    drop(sync);
    place.close().await;
    if session.is_json() {
        talk::json(&json!({
            "changed": migration.changed,
            "tables": migration.tables,
            "taken_over": adoption.iter().flat_map(|a| &a.tables).map(|t| &t.name).collect::<Vec<_>>(),
            "excluded_columns": left_out.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "cleared_rows": migration.excluded.cleared_rows,
        }))?;
        return Ok(Exit::Complete);
    }
    let what = if migration.changed { "migrated" } else { "up to date" };
    let schema = database.names.schema();
    if let Some(adoption) = &adoption {
        let tables = number::of(adoption.tables.len(), "table");
        talk::data(&format!(
            "took over {tables} with every row; `stripe-sync backfill` fills what is new\n"
        ))?;
    }
    talk::data(&format!("schema {schema} is {what}: {} tables\n", migration.tables))?;
    if !left_out.is_empty() {
        talk::data(&format!("left out: {}\n", columns::listed(&left_out)))?;
    }
    Ok(Exit::Complete)
}
