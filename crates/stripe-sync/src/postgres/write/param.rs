//! Binds the arrays that `row` has already encoded.

use bytes::{BufMut, BytesMut};
use tokio_postgres::types::{IsNull, ToSql, Type};

use crate::row::{Array, Element};

/// A finished binary array.
pub(super) struct WireArray<'a>(&'a [u8], Type);

impl<'a> WireArray<'a> {
    pub(super) fn new(array: &'a mut Array) -> WireArray<'a> {
        let kind = match array.element() {
            Element::Text => Type::TEXT_ARRAY,
            Element::Bigint => Type::INT8_ARRAY,
            Element::Boolean => Type::BOOL_ARRAY,
            Element::Double => Type::FLOAT8_ARRAY,
            Element::Jsonb => Type::JSONB_ARRAY,
            Element::Timestamptz => Type::TIMESTAMPTZ_ARRAY,
        };
        WireArray(array.wire(), kind)
    }

    pub(super) fn typed(&self) -> (&(dyn ToSql + Sync), Type) {
        (self, self.1.clone())
    }
}

/// Row values must not appear in logs.
impl std::fmt::Debug for WireArray<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "WireArray({} bytes)", self.0.len())
    }
}

impl ToSql for WireArray<'_> {
    fn to_sql(
        &self,
        _: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        out.put_slice(self.0);
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    tokio_postgres::types::to_sql_checked!();
}
