//! From objects as Stripe sent them to rows as PostgreSQL takes them. Pure: no HTTP, no SQL.
//!
//! An object is never turned into a tree. Its text is scanned for the values that columns want,
//! and each value goes straight into the binary array of its column.

mod array;
mod batch;
mod encode;
mod head;
mod keys_apart;
mod number;
mod redact;
mod scan;
mod text;
mod value;

pub(crate) use array::{Array, Element};
pub(crate) use batch::{Observation, winners};
pub(crate) use encode::encode;
#[allow(unused_imports, reason = "callers still scan once per property")]
pub(crate) use head::ObjectHead;
pub(crate) use head::{NO_ID, id_of, name_of};
pub(crate) use redact::redact;
pub(crate) use scan::{elements, fields, get, get_path, key_is, string};
