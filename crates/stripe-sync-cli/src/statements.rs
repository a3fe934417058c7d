//! Splits SQL text into statements at semicolons, as PostgreSQL reads it: not inside strings,
//! quoted names, dollar quotes and comments.

/// The statements of a text without their semicolons. A statement that consists of comments only is
/// omitted.
pub(crate) fn split(text: &str) -> Vec<&str> {
    let mut statements = Vec::new();
    let (mut start, mut at, mut is_empty) = (0, 0, true);
    while at < text.len() {
        let token = token(text, at);
        match token.kind {
            Kind::Semicolon => {
                if !is_empty {
                    statements.push(text[start..at].trim());
                }
                (start, is_empty) = (token.end, true);
            }
            Kind::Blank => {}
            Kind::Code => is_empty = false,
        }
        at = token.end;
    }
    if !is_empty {
        statements.push(text[start..].trim());
    }
    statements
}

struct Token {
    kind: Kind,
    end: usize,
}

enum Kind {
    Semicolon,
    /// Whitespace or a comment.
    Blank,
    /// Everything else. A word is one token, so that the `$` and the `e` in a name start nothing.
    Code,
}

fn token(text: &str, at: usize) -> Token {
    let rest = &text[at..];
    let first = rest.chars().next().unwrap_or(' ');
    let until = |length: Option<usize>| at + length.unwrap_or(rest.len());
    let (kind, end) = match first {
        ';' => (Kind::Semicolon, at + 1),
        _ if first.is_whitespace() => (Kind::Blank, at + first.len_utf8()),
        '-' if rest.starts_with("--") => (Kind::Blank, until(rest.find('\n'))),
        '/' if rest.starts_with("/*") => (Kind::Blank, until(comment_length(rest))),
        '\'' | '"' => (Kind::Code, until(quoted_length(rest, first, false))),
        'e' | 'E' if rest[1..].starts_with('\'') => {
            (Kind::Code, until(quoted_length(&rest[1..], '\'', true).map(|length| length + 1)))
        }
        '$' => (Kind::Code, until(dollar_quoted_length(rest))),
        _ if is_in_word(first) => (Kind::Code, until(rest.find(|c| !is_in_word(c)))),
        _ => (Kind::Code, at + first.len_utf8()),
    };
    Token { kind, end }
}

fn is_in_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '$') || !c.is_ascii()
}

/// The length of the quoted text at the start, or `None` if it does not end. A doubled quote is
/// read as the end of one quoted text and the start of the next.
fn quoted_length(text: &str, quote: char, has_escapes: bool) -> Option<usize> {
    let mut chars = text.char_indices().skip(1);
    while let Some((i, c)) = chars.next() {
        if has_escapes && c == '\\' {
            chars.next();
        } else if has_escapes && c == quote && text[i + 1..].starts_with(quote) {
            // The next quoted text would be read without escapes, so this one continues.
            chars.next();
        } else if c == quote {
            return Some(i + 1);
        }
    }
    None
}

/// The length of the comment at the start, or `None` if it does not end. Comments nest.
fn comment_length(text: &str) -> Option<usize> {
    let (mut depth, mut at) = (1, 2);
    while depth > 0 {
        let next = text[at..].find("*/")?;
        match text[at..].find("/*").filter(|opening| *opening < next) {
            Some(opening) => (depth, at) = (depth + 1, at + opening + 2),
            None => (depth, at) = (depth - 1, at + next + 2),
        }
    }
    Some(at)
}

/// The length of the dollar-quoted text at the start, 1 if a `$` alone is there, or `None` if the
/// text does not end.
fn dollar_quoted_length(text: &str) -> Option<usize> {
    let Some(end) = text[1..].find(|c| c == '$' || !is_in_word(c)) else { return Some(1) };
    let tag = &text[..end + 2];
    // `$1` is a parameter.
    if !tag.ends_with('$') || text[1..].starts_with(|c: char| c.is_ascii_digit()) {
        return Some(1);
    }
    text[tag.len()..].find(tag).map(|i| i + 2 * tag.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_semicolons_between_statements_separate_them() {
        for (text, expected) in [
            ("", &[][..]),
            (" ;; -- a\n; /* b; */ ", &[]),
            ("select 1", &["select 1"]),
            ("select 1;\nselect 2 ;", &["select 1", "select 2"]),
            ("-- a;\nselect 1; -- b;", &["-- a;\nselect 1"]),
            ("select 'a;''b;'; select 2", &["select 'a;''b;'", "select 2"]),
            ("select \"a;\"\"b\"; select 2", &["select \"a;\"\"b\"", "select 2"]),
            (r"select 'a\'; select 2", &[r"select 'a\'", "select 2"]),
            (r"select e'a\';'; select 2", &[r"select e'a\';'", "select 2"]),
            (r"select E'a'';\';'; select 2", &[r"select E'a'';\';'", "select 2"]),
            ("select nameé'a'; select 2", &["select nameé'a'", "select 2"]),
            ("select $$;$$; select $t$;$$;$t$", &["select $$;$$", "select $t$;$$;$t$"]),
            ("select a$b; select c$b", &["select a$b", "select c$b"]),
            ("select $1; select $1", &["select $1", "select $1"]),
            ("select 1 /* ; /* ; */ ; */; x", &["select 1 /* ; /* ; */ ; */", "x"]),
            ("select 'unfinished; x", &["select 'unfinished; x"]),
            ("select /* unfinished; x", &["select /* unfinished; x"]),
            ("select $é; x", &["select $é", "x"]),
            ("$", &["$"]),
        ] {
            assert_eq!(split(text), expected, "{text}");
        }
    }
}
