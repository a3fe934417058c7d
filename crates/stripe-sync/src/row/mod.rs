//! From objects as Stripe sent them to rows as PostgreSQL takes them. Pure: no HTTP, no SQL.
//!
//! An object is never turned into a tree. Its text is scanned for the values that columns want,
//! and each value goes straight into the binary array of its column.

#[cfg(test)]
pub(crate) mod any_json;
mod array;
mod batch;
mod encode;
mod escape;
mod head;
mod jsonb;
mod keys_apart;
mod list;
mod number;
mod object;
mod redact;
mod scan;
#[cfg(test)]
mod scan_by_byte;
mod validate;
mod value;
mod word;

pub(crate) use array::{Array, Element};
pub(crate) use batch::{Observation, winners};
pub(crate) use encode::encode;
pub(crate) use head::{NO_ID, ObjectHead, id_of, name_of};
pub(crate) use list::ListIndex;
pub(crate) use object::Object;
pub(crate) use redact::redact;
pub(crate) use scan::{elements, fields, get, get_each, key_is, string};
