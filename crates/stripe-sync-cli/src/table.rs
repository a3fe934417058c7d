//! Text tables: no borders, numbers aligned to the right, and no control characters in a cell.

use comfy_table::presets::NOTHING;
use comfy_table::{Attribute, Cell, CellAlignment, Color, ContentArrangement, Table};

use crate::number;

/// A table under construction.
pub(crate) struct TextTable {
    table: Table,
}

impl TextTable {
    /// A table with these headings. The columns at the indexes `right` are aligned to the right.
    pub(crate) fn new(headings: &[&str], right: &[usize]) -> TextTable {
        let mut table = Table::new();
        table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        // The output stream removes the colors if it is not colored.
        table.enforce_styling().style_text_only();
        table.set_header(
            headings.iter().map(|h| Cell::new(clean(h)).add_attribute(Attribute::Bold)),
        );
        for (i, column) in table.column_iter_mut().enumerate() {
            column.set_padding((0, 2));
            if right.contains(&i) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        TextTable { table }
    }

    /// Adds a row. Status words are colored.
    pub(crate) fn row<S: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = S>) {
        self.table.add_row(cells.into_iter().map(|cell| {
            let text = cell.as_ref();
            let cell = Cell::new(clean(text));
            match color(text) {
                Some(color) => cell.fg(color),
                None => cell,
            }
        }));
    }

    /// The table as text.
    pub(crate) fn finish(self) -> String {
        let mut text = String::new();
        for line in self.table.lines() {
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

/// The line below a table that shows only the first of `count` rows. The rows can have been counted before
/// some of those in the table were added.
pub(crate) fn more_rows(count: i64, shown: usize) -> String {
    match usize::try_from(count).unwrap_or(0).saturating_sub(shown) {
        0 => String::new(),
        hidden => format!("and {} more\n", number::count(hidden)),
    }
}

fn color(word: &str) -> Option<Color> {
    match word {
        "ok" | "complete" | "stored" | "deleted" | "yes" => Some(Color::Green),
        "interrupted" | "skipped" | "denied" | "gone" | "running" | "quarantined" | "not found" => {
            Some(Color::Yellow)
        }
        "failed" | "no" => Some(Color::Red),
        _ => None,
    }
}

/// The text on one line, with control characters escaped: rows contain text of third parties, and
/// an escape sequence in it must not reach the terminal.
pub(crate) fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => clean.push_str("\\n"),
            '\t' => clean.push_str("\\t"),
            c if c.is_control() || is_format(c) => clean.extend(c.escape_unicode()),
            c => clean.push(c),
        }
    }
    clean
}

/// Characters that reorder the text around them.
fn is_format(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_and_reordering_characters_are_escaped() {
        assert_eq!(clean("a\u{1b}[2Jb\nc\u{202e}"), "a\\u{1b}[2Jb\\nc\\u{202e}");
        assert_eq!(clean("Zoë 🎉"), "Zoë 🎉");
    }

    #[test]
    fn the_rows_that_a_table_does_not_show_are_counted() {
        assert_eq!(more_rows(1_020, 20), "and 1,000 more\n");
        for (count, shown) in [(20, 20), (0, 0), (1, 2), (-1, 0)] {
            assert_eq!(more_rows(count, shown), "", "{count} {shown}");
        }
    }

    #[test]
    fn numbers_are_aligned_to_the_right() {
        let mut table = TextTable::new(&["stream", "rows"], &[1]);
        table.row(["customers", "2,500"]);
        table.row(["plans", "9"]);
        let text = anstream::adapter::strip_str(&table.finish()).to_string();
        assert_eq!(text, "stream      rows\ncustomers  2,500\nplans          9\n");
    }
}
