//! `stripe-sync migrate`: the schema and its tables.

use serde_json::json;
use stripe_sync::StripeSync;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;
use crate::settings::Database;
use crate::talk;

pub(super) async fn run(session: &Session) -> Result<Exit, Failure> {
    let database = Database::resolve(&session.connection, &session.environment)?;
    let place = database.open().await?;
    let sync = StripeSync::connect(database.config(place.url())).await?;
    let migration = sync.migrate().await?;
    drop(sync);
    place.close().await;
    if session.is_json() {
        talk::json(&json!({ "changed": migration.changed, "tables": migration.tables }))?;
        return Ok(Exit::Complete);
    }
    let what = if migration.changed { "migrated" } else { "up to date" };
    let schema = database.names.schema();
    talk::data(&format!("schema {schema} is {what}: {} tables\n", migration.tables))?;
    Ok(Exit::Complete)
}
