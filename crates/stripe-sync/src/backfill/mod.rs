//! x
pub(crate) mod slice;
