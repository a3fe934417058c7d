//! Tests private servers through the public API, with real servers and processes that are killed.

#![allow(clippy::unwrap_used, reason = "a test fails at its first unexpected error")]

mod crashes;
mod data_directories;
mod settings;
mod sharing;
mod support;
mod temporary;
