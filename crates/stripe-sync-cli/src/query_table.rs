//! The result of a query as a text table, which is printed while rows arrive.
//!
//! The first rows decide how wide a column is and how it is aligned. Wider values of later rows move the
//! rest of their line.

use stripe_sync::QueryResult;

use crate::table::{self, TextTable};

/// How many rows decide the layout.
const LAYOUT_ROWS: usize = 1_000;

/// The result of a statement. Null is an empty cell, as in psql.
#[derive(Default)]
pub(crate) struct RowTable {
    columns: Vec<String>,
    /// The rows before the layout is decided.
    first: Vec<Vec<Option<String>>>,
    layout: Option<Layout>,
}

struct Layout {
    widths: Vec<usize>,
    /// The indexes of the columns that are aligned to the right.
    right: Vec<usize>,
}

impl RowTable {
    /// Sets the names of the columns.
    pub(crate) fn columns(&mut self, columns: &[String]) {
        self.columns = columns.to_vec();
    }

    /// Adds a row, and returns the text that can be printed.
    pub(crate) fn row(&mut self, row: &[Option<&str>]) -> String {
        if let Some(layout) = &self.layout {
            return layout.line(row);
        }
        self.first.push(row.iter().map(|value| value.map(str::to_owned)).collect());
        match self.first.len() < LAYOUT_ROWS {
            true => String::new(),
            false => self.decide_layout(),
        }
    }

    /// The text that is not returned yet.
    pub(crate) fn finish(mut self) -> String {
        match self.layout {
            Some(_) => String::new(),
            None => self.decide_layout(),
        }
    }

    /// Returns the heading and the first rows.
    fn decide_layout(&mut self) -> String {
        let rows = std::mem::take(&mut self.first);
        let is_numeric = |i: &usize| {
            let mut values = rows.iter().filter_map(|row| row.get(*i)?.as_deref()).peekable();
            values.peek().is_some() && values.all(|value| value.parse::<f64>().is_ok())
        };
        let right: Vec<usize> = (0..self.columns.len()).filter(is_numeric).collect();
        let width = |i: usize| {
            let values = rows.iter().filter_map(|row| row.get(i)?.as_deref());
            let texts = values.chain([self.columns[i].as_str()]).map(table::clean);
            texts.map(|text| console::measure_text_width(&text)).max().unwrap_or(0)
        };
        let widths = (0..self.columns.len()).map(width).collect();
        let text = match self.columns.is_empty() {
            true => String::new(),
            false => {
                let headings: Vec<&str> = self.columns.iter().map(String::as_str).collect();
                let mut table = TextTable::new(&headings, &right);
                for row in &rows {
                    table.row(row.iter().map(|value| value.as_deref().unwrap_or_default()));
                }
                table.finish()
            }
        };
        self.layout = Some(Layout { widths, right });
        text
    }
}

impl Layout {
    fn line(&self, row: &[Option<&str>]) -> String {
        let mut line = String::new();
        for (i, (value, width)) in row.iter().zip(&self.widths).enumerate() {
            let text = table::clean(value.unwrap_or_default());
            let missing = width.saturating_sub(console::measure_text_width(&text));
            let padding = " ".repeat(missing);
            match self.right.contains(&i) {
                true => line.extend([&padding, &text, "  "]),
                false => line.extend([&text, &padding, "  "]),
            }
        }
        format!("{}\n", line.trim_end())
    }
}

/// Formats a whole result.
pub(crate) fn as_text(result: &QueryResult) -> String {
    let mut table = RowTable::default();
    table.columns(&result.columns);
    let mut text = String::new();
    for row in &result.rows {
        let row: Vec<Option<&str>> = row.iter().map(Option::as_deref).collect();
        text.push_str(&table.row(&row));
    }
    text.push_str(&table.finish());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_with_only_numbers_are_aligned_to_the_right() {
        let some = |text: &str| Some(text.to_owned());
        let mut result = QueryResult::default();
        result.columns = vec!["type".into(), "count".into()];
        result.rows = vec![
            vec![some("customers"), some("12000")],
            vec![some("plans"), None],
            vec![None, some("7")],
        ];
        let text = anstream::adapter::strip_str(&as_text(&result)).to_string();
        assert_eq!(text, "type       count\ncustomers  12000\nplans\n               7\n");
    }

    #[test]
    fn later_rows_have_the_layout_of_the_first_ones() {
        let mut table = RowTable::default();
        table.columns(&["number".into(), "word".into(), "x".into()]);
        let mut text = String::new();
        for number in 0..LAYOUT_ROWS + 2 {
            let number = number.to_string();
            text.push_str(&table.row(&[Some(&number), Some("ü"), None]));
        }
        text.push_str(&table.row(&[Some("1234567"), Some("wider"), Some("x\n")]));
        text.push_str(&table.finish());
        let text = anstream::adapter::strip_str(&text).to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 1 + LAYOUT_ROWS + 3);
        assert_eq!(lines[0], "number  word  x");
        assert_eq!(lines[LAYOUT_ROWS], "   999  ü");
        assert_eq!(lines[LAYOUT_ROWS + 2], "  1001  ü");
        assert_eq!(lines[LAYOUT_ROWS + 3], "1234567  wider  x\\n");
    }
}
