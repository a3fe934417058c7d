//! Tests of the real binary, against the simulator over real HTTP and a real PostgreSQL.

mod active_runs;
mod adoption;
mod catch_up;
mod check;
mod damaged_schemas;
mod documented_json;
mod excluded_columns;
mod fake_postgres;
mod follow;
mod generated_files;
mod interruption;
mod interruption_while_waiting;
mod invalid_input;
mod key_file;
mod memory;
mod output;
mod pooler;
mod private_server;
mod quarantine;
mod query;
mod secrets;
mod starting_database;
mod support;
mod tls;
mod unusable_databases;
mod webhook;
