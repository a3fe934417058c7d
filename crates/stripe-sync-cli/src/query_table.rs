//! The result of a query as a text table.

use stripe_sync::QueryResult;

use crate::table::TextTable;

/// Formats the result. Null is shown as an empty cell, as in psql.
pub(crate) fn as_text(result: &QueryResult) -> String {
    if result.columns.is_empty() {
        return String::new();
    }
    let is_numeric = |i: &usize| {
        let mut values = result.rows.iter().filter_map(|row| row.get(*i)?.as_deref()).peekable();
        values.peek().is_some() && values.all(|value| value.parse::<f64>().is_ok())
    };
    let right: Vec<usize> = (0..result.columns.len()).filter(is_numeric).collect();
    let headings: Vec<&str> = result.columns.iter().map(String::as_str).collect();
    let mut table = TextTable::new(&headings, &right);
    for row in &result.rows {
        table.row(row.iter().map(|value| value.as_deref().unwrap_or_default()));
    }
    table.finish()
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
}
