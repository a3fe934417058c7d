//! `stripe-sync migrate`: creates or updates the schema and its tables.

use serde_json::json;
use stripe_sync::StripeSync;

use crate::args::Migrate;
use crate::columns::{self, ColumnChanges};
use crate::context::CommandContext;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::next_command;
use crate::settings::{DatabaseSettings, StripeSettings};
use crate::{number, ui};

pub(super) async fn run(args: &Migrate, context: &CommandContext) -> Result<Exit, Failure> {
    let columns = ColumnChanges::resolve(&args.columns, &context.environment)?;
    let database = DatabaseSettings::resolve(&context.connection, &context.environment)?;
    let open = database.target.open().await?;
    let mut config = database.config(open.url());
    columns.add_to(&mut config);
    let mut sync = StripeSync::connect(config.clone()).await?;
    let adoption = sync.adoption().await?;
    if let Some(adoption) = &adoption {
        super::adoption::report(adoption, database.names.schema());
        StripeSettings::add_if_given(&context.connection, &context.environment, &mut config)?;
        if args.yes {
            config.rewrite_limit = u64::MAX;
        }
        sync = StripeSync::connect(config).await?;
    }
    let migration = sync.migrate().await?;
    columns::report_exclusions(&migration.excluded);
    if columns.include(&sync).await? {
        let backfill =
            next_command::on_the_same_account(&["backfill", "--fresh"], &context.connection);
        ui::note(&format!("to fill them in existing rows, run: {backfill}"));
    }
    let excluded = sync.excluded_columns().await?;
    drop(sync);
    open.close(&context.interrupts).await;
    if context.is_json() {
        ui::json(&json!({
            "changed": migration.changed,
            "tables": migration.tables,
            "adopted": adoption.iter().flat_map(|a| &a.tables).map(|t| &t.name).collect::<Vec<_>>(),
            "excluded_columns": excluded.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "cleared_rows": migration.excluded.cleared_rows,
        }))?;
        return Ok(Exit::Complete);
    }
    let state = if migration.changed { "migrated" } else { "up to date" };
    let schema = database.names.schema();
    if let Some(adoption) = &adoption {
        let tables = number::quantity(adoption.tables.len(), "table");
        let backfill = next_command::on_the_same_account(&["backfill"], &context.connection);
        ui::data(&format!(
            "adopted {tables} and kept all rows; to fill the new tables and columns, run: {backfill}\n"
        ))?;
    }
    ui::data(&format!("schema {schema} is {state}: {} tables\n", migration.tables))?;
    if !excluded.is_empty() {
        ui::data(&format!("excluded columns: {}\n", columns::list(&excluded)))?;
    }
    Ok(Exit::Complete)
}
