//! Indents JSON as Stripe does in the bodies of webhooks. Values stay byte for byte as they are.

/// The text with one member or element per line, indented by two spaces.
pub(super) fn indented(json: &str) -> String {
    let mut out = String::with_capacity(json.len() * 3 / 2);
    let (mut depth, mut in_string, mut is_escaped, mut is_empty) = (0_usize, false, false, false);
    for c in json.chars() {
        if in_string {
            out.push(c);
            in_string = is_escaped || c != '"';
            is_escaped = !is_escaped && c == '\\';
            continue;
        }
        if c.is_whitespace() {
            continue;
        }
        if is_empty && !matches!(c, '}' | ']') {
            new_line(&mut out, depth);
        }
        match c {
            '{' | '[' => {
                depth += 1;
                out.push(c);
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                if !is_empty {
                    new_line(&mut out, depth);
                }
                out.push(c);
            }
            ',' => {
                out.push(c);
                new_line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            _ => {
                in_string = c == '"';
                out.push(c);
            }
        }
        is_empty = matches!(c, '{' | '[');
    }
    out
}

fn new_line(out: &mut String, depth: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_is_that_of_a_pretty_printer_and_values_stay() {
        let text = r#"{"a":[1,{"b":"x{,}:\"\\"},[]],"c":{},"d":1.10,"e":"\ud800"}"#;
        assert_eq!(
            indented(text),
            "{\n  \"a\": [\n    1,\n    {\n      \"b\": \"x{,}:\\\"\\\\\"\n    },\n    []\n  ],\n  \
             \"c\": {},\n  \"d\": 1.10,\n  \"e\": \"\\ud800\"\n}"
        );
        assert_eq!(indented(" [ ] "), "[]");
    }
}
