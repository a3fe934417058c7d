//! Tells what `migrate` is about to take over: sizes, locks, disk, and what depends on it.

use stripe_sync::Adoption;

use crate::{number, talk};

/// Tables shown by name; the rest are small.
const SHOWN: usize = 5;

pub(super) fn tell(adoption: &Adoption, schema: &str) {
    let tables = &adoption.tables;
    talk::note(&format!(
        "schema {schema} holds {} of a TypeScript stripe-sync-engine, {}; they are taken over in place",
        number::of(tables.len(), "table"),
        number::bytes(adoption.bytes()),
    ));
    let shown: Vec<String> = tables
        .iter()
        .take(SHOWN)
        .map(|table| match table.rows {
            Some(rows) => format!(
                "{} {} (about {})",
                table.name,
                number::bytes(table.bytes),
                number::of(rows, "row")
            ),
            None => format!("{} {}", table.name, number::bytes(table.bytes)),
        })
        .collect();
    let rest = tables.len().saturating_sub(SHOWN);
    let rest = if rest == 0 { String::new() } else { format!(", and {rest} smaller ones") };
    talk::note(&format!("  sizes: {}{rest}", shown.join(", ")));
    talk::note("  locks: each table is locked against readers and writers while it is rewritten");
    talk::note(&format!(
        "  disk: {} beside what is used, and as much write-ahead log",
        number::bytes(adoption.largest())
    ));
    if !adoption.views.is_empty() {
        talk::note(&format!("  views made again: {}", adoption.views.join(", ")));
    }
    for key in &adoption.foreign_keys {
        talk::note(&format!(
            "  kept: foreign key {} of {} to {}; the schema then takes one account only",
            key.name, key.from, key.to
        ));
    }
    talk::note("  the other engine cannot write these tables afterwards: stop it first");
}
