//! Tests private servers from the outside, with real servers and processes that are really killed.

#![allow(clippy::unwrap_used, reason = "a test fails at its first unexpected error")]

mod crashes;
mod data_directories;
mod settings;
mod sharing;
mod support;
mod temporary;
