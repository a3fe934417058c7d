//! The result of a query as CSV (RFC 4180, with `\n` as the end of a line). As in PostgreSQL's
//! COPY, a null value is empty and an empty string is `""`.

use stripe_sync::QueryResult;

/// A line with the column names, and one line for each row.
pub(crate) fn as_csv(result: &QueryResult) -> String {
    let mut text = String::new();
    if !result.columns.is_empty() {
        push_line(&mut text, result.columns.iter().map(|name| Some(name.as_str())));
    }
    for row in &result.rows {
        push_line(&mut text, row.iter().map(Option::as_deref));
    }
    text
}

fn push_line<'a>(text: &mut String, values: impl Iterator<Item = Option<&'a str>>) {
    for (i, value) in values.enumerate() {
        if i > 0 {
            text.push(',');
        }
        match value {
            None => {}
            Some(value) if value.is_empty() || value.contains([',', '"', '\n', '\r']) => {
                text.push('"');
                text.push_str(&value.replace('"', "\"\""));
                text.push('"');
            }
            Some(value) => text.push_str(value),
        }
    }
    text.push('\n');
}
