//! A column of a batch in PostgreSQL's binary array format. Values are appended to one buffer.
//!
//! Format: <https://www.postgresql.org/docs/current/xtypes.html>, `array_recv` and the `_recv`
//! functions of the element types.

/// The element types in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Element {
    Text,
    Bigint,
    Boolean,
    Double,
    Jsonb,
    Timestamptz,
}

impl Element {
    /// The object id of the type in `pg_type`.
    fn oid(self) -> u32 {
        match self {
            Element::Text => 25,
            Element::Bigint => 20,
            Element::Boolean => 16,
            Element::Double => 701,
            Element::Jsonb => 3802,
            Element::Timestamptz => 1184,
        }
    }

    /// The size of a value: exact for types of fixed size, an estimate for the others.
    fn usual_bytes(self) -> usize {
        match self {
            Element::Text => 16,
            Element::Jsonb => 32,
            Element::Boolean => 1,
            Element::Bigint | Element::Double | Element::Timestamptz => 8,
        }
    }
}

/// Microseconds between the epochs of Unix and of PostgreSQL, 2000-01-01.
const POSTGRES_EPOCH: i64 = 946_684_800_000_000;
/// Bytes in front of the values, and in front of each value.
const HEADER: usize = 20;
const LENGTH: usize = 4;

/// One array parameter.
#[derive(Debug)]
pub(crate) struct Array {
    element: Element,
    bytes: Vec<u8>,
    length: i32,
    nulls: bool,
}

impl Array {
    /// An empty array with capacity for this many values of the usual size.
    pub(crate) fn with_rows(element: Element, rows: usize) -> Array {
        let mut bytes = Vec::with_capacity(HEADER + rows * (LENGTH + element.usual_bytes()));
        bytes.resize(HEADER, 0);
        Array { element, bytes, length: 0, nulls: false }
    }

    pub(crate) fn element(&self) -> Element {
        self.element
    }

    pub(crate) fn push_null(&mut self) {
        self.nulls = true;
        self.length += 1;
        self.bytes.extend_from_slice(&(-1_i32).to_be_bytes());
    }

    pub(crate) fn push_text(&mut self, text: &str) {
        self.push(&[], text.as_bytes());
    }

    /// `json` must be JSON text without U+0000 escapes and lone surrogates.
    pub(crate) fn push_jsonb(&mut self, json: &str) {
        const VERSION: u8 = 1;
        self.push(&[VERSION], json.as_bytes());
    }

    pub(crate) fn push_bigint(&mut self, value: i64) {
        self.push(&[], &value.to_be_bytes());
    }

    pub(crate) fn push_boolean(&mut self, value: bool) {
        self.push(&[], &[u8::from(value)]);
    }

    pub(crate) fn push_double(&mut self, value: f64) {
        self.push(&[], &value.to_be_bytes());
    }

    /// `micros` since 1970.
    pub(crate) fn push_timestamptz(&mut self, micros: i64) {
        self.push(&[], &micros.saturating_sub(POSTGRES_EPOCH).to_be_bytes());
    }

    fn push(&mut self, head: &[u8], body: &[u8]) {
        let length = i32::try_from(head.len() + body.len()).unwrap_or(i32::MAX);
        self.bytes.extend_from_slice(&length.to_be_bytes());
        self.bytes.extend_from_slice(head);
        self.bytes.extend_from_slice(body);
        self.length += 1;
    }

    /// The finished parameter.
    pub(crate) fn wire(&mut self) -> &[u8] {
        if self.length == 0 {
            let header = [0, 0, self.element.oid()];
            self.bytes.clear();
            header.iter().for_each(|part| self.bytes.extend_from_slice(&part.to_be_bytes()));
            return &self.bytes;
        }
        let header = [1, u32::from(self.nulls), self.element.oid(), self.length as u32, 1];
        for (slot, part) in self.bytes.chunks_exact_mut(4).zip(header) {
            slot.copy_from_slice(&part.to_be_bytes());
        }
        &self.bytes
    }
}
