//! The result of a query as CSV (RFC 4180, with `\n` as the end of a line). As in PostgreSQL's
//! COPY, a null value is empty and an empty string is `""`.

/// The line with the names of the columns. Empty without columns.
pub(crate) fn heading(columns: &[String]) -> String {
    let mut text = String::new();
    if !columns.is_empty() {
        push_line(&mut text, columns.iter().map(|name| Some(name.as_str())));
    }
    text
}

/// The line of one row.
pub(crate) fn line(row: &[Option<&str>]) -> String {
    let mut text = String::new();
    push_line(&mut text, row.iter().copied());
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
