//! A private server as its users see it: real servers, real processes, real kills.

#![allow(clippy::unwrap_used, reason = "a test ends at its first surprise")]

mod crashes;
mod data_directories;
mod settings;
mod sharing;
mod support;
mod temporary;
