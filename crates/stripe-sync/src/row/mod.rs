//! Turns objects as Stripe sent them into rows in PostgreSQL's binary format. Pure: no HTTP, no
//! SQL.
//!
//! No tree of JSON values is built. A page is scanned once, which validates its syntax and finds
//! the properties of its objects (`list`). The encoder copies each value from the text into the
//! binary array of its column. `docs/decisions/0011-json-scanner.md` compares this with other
//! readers.

#[cfg(test)]
pub(crate) mod any_json;
mod array;
mod batch;
mod distinct_keys;
mod encode;
mod escape;
mod head;
mod jsonb;
mod list;
mod number;
mod object;
mod presence;
mod properties;
mod redact;
mod scan;
#[cfg(test)]
mod scan_by_byte;
mod tokens;
mod validate;
mod value;
mod word;

pub(crate) use array::{Array, Element};
pub(crate) use batch::{Observation, reduce_items, winners};
pub(crate) use encode::encode;
pub(crate) use head::{NO_ID, ObjectHead, id_of, name_of};
pub(crate) use list::ListIndex;
pub(crate) use object::Object;
pub(crate) use presence::Presence;
pub(crate) use redact::redact;
pub(crate) use scan::{elements, fields, get, get_each, get_path, is_null, key_is, string};
