//! A server for tests that says exactly what a script tells it to.
