//! The real binary, against the simulator over real HTTP and a real PostgreSQL.

mod adoption;
mod bad_databases;
mod bad_input;
mod changed_tables;
mod check;
mod columns;
mod copy;
mod fake_postgres;
mod interrupted;
mod memory;
mod pooler;
mod private_server;
mod quarantine;
mod secrets;
mod support;
mod under_way;
