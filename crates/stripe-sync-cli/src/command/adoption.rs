//! Reports what `migrate` is about to adopt: sizes, locks, disk space, and dependent objects.

use stripe_sync::Adoption;

use crate::{number, ui};

/// The number of tables listed by name, largest first.
const LISTED: usize = 5;

pub(super) fn report(adoption: &Adoption, schema: &str) {
    let tables = &adoption.tables;
    ui::note(&format!(
        "schema {schema} contains {} of a TypeScript stripe-sync-engine ({}), which will be adopted in place",
        number::quantity(tables.len(), "table"),
        number::bytes(adoption.bytes()),
    ));
    let listed: Vec<String> = tables
        .iter()
        .take(LISTED)
        .map(|table| match table.rows {
            Some(rows) => format!(
                "{} {} (about {})",
                table.name,
                number::bytes(table.bytes),
                number::quantity(rows, "row")
            ),
            None => format!("{} {}", table.name, number::bytes(table.bytes)),
        })
        .collect();
    let rest = tables.len().saturating_sub(LISTED);
    let rest = if rest == 0 { String::new() } else { format!(", and {rest} smaller ones") };
    ui::note(&format!("  sizes: {}{rest}", listed.join(", ")));
    ui::note("  locks: each table is locked against reads and writes while it is rewritten");
    ui::note(&format!(
        "  disk: {} of additional space, and as much write-ahead log",
        number::bytes(adoption.largest())
    ));
    if !adoption.views.is_empty() {
        ui::note(&format!("  views: {} will be recreated", adoption.views.join(", ")));
    }
    for key in &adoption.foreign_keys {
        ui::note(&format!(
            "  foreign key: {} from {} to {} is kept, which limits the schema to one account",
            key.name, key.from, key.to
        ));
    }
    ui::note("  stop the other engine first: it cannot write to these tables afterwards");
}
