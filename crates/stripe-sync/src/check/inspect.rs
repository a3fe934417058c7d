//! The database's side of a check: the server, the schema, and whether the schema fits the key.

use super::report::{DatabaseCheck, KeyCheck, ServerCheck};
use crate::config::Config;
use crate::error::Error;
use crate::postgres::{Database, DatabaseOptions, Inspection, PostgresError, SchemaState};

/// Connections for the inspection.
const CONNECTIONS: usize = 2;

/// Inspects the configured database. The connection is `None` if the URL cannot be used.
pub(super) async fn inspect(config: &Config) -> (DatabaseCheck, Option<Database>) {
    let mut check = DatabaseCheck { server: None, schema: None, problems: Vec::new() };
    let url = config.database_url.expose();
    let options = DatabaseOptions { connections: CONNECTIONS, ..config.database_options() };
    let database = match Database::open(url, options) {
        Ok(database) => database,
        Err(error) => {
            check.problems.push(error.into());
            return (check, None);
        }
    };
    match database.inspect(&config.names).await {
        Ok(Inspection { server, schema, objections }) => {
            check.server = Some(ServerCheck {
                version: server.version,
                encoding: server.encoding,
                database: server.database,
                user: server.user,
            });
            check.schema = schema;
            check.problems.extend(objections.into_iter().map(Error::from));
        }
        Err(error) => check.problems.push(error.into()),
    }
    (check, Some(database))
}

impl DatabaseCheck {
    /// Adds a problem if the schema holds data of the other mode.
    pub(super) fn check_mode(&mut self, config: &Config, key: Option<&KeyCheck>) {
        let Some(SchemaState::Migrated { mode: Some(bound), .. }) = &self.schema else { return };
        if let Some(key) = key.filter(|key| key.mode != *bound) {
            let error = PostgresError::other_mode(&config.names, key.mode, bound.as_str());
            self.problems.push(error.into());
        }
    }
}
