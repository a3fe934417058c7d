//! The values of a JSON text in order, without recursion.

use std::ops::Range;

use super::scan::end_of_value;

/// A value or the end of one.
pub(super) enum Token {
    /// The start of an object, at this position.
    Object(usize),
    /// The start of an array, at this position.
    Array(usize),
    /// The end of the innermost object or array.
    Close,
    /// A string, number, `true`, `false` or `null`.
    Scalar(Range<usize>),
}

/// Iterator over the tokens of a text, at any depth.
pub(super) struct Tokens<'j> {
    text: &'j str,
    at: usize,
    /// The open objects and arrays; true for an object.
    open: Vec<bool>,
    /// Whether a string at this position is a key.
    expects_key: bool,
    /// The key of the last value, as written; `None` in an array.
    pub(super) key: Option<&'j str>,
}

impl<'j> Tokens<'j> {
    pub(super) fn new(text: &'j str) -> Tokens<'j> {
        Tokens { text, at: 0, open: Vec::new(), expects_key: false, key: None }
    }

    pub(super) fn next(&mut self) -> Option<Token> {
        let mut key = None;
        loop {
            let at = self.at;
            let token = match *self.text.as_bytes().get(at)? {
                b' ' | b'\n' | b'\r' | b'\t' | b':' => {
                    self.at += 1;
                    continue;
                }
                b',' => {
                    self.at += 1;
                    self.expects_key = self.open.last() == Some(&true);
                    continue;
                }
                b'"' if self.expects_key => {
                    self.at = end_of_value(self.text, at);
                    self.expects_key = false;
                    key = self.text.get(at + 1..self.at - 1);
                    continue;
                }
                b'{' => self.enter(true, Token::Object(at)),
                b'[' => self.enter(false, Token::Array(at)),
                b'}' | b']' => {
                    self.at += 1;
                    self.open.pop();
                    self.expects_key = false;
                    Token::Close
                }
                _ => {
                    self.at = end_of_value(self.text, at);
                    Token::Scalar(at..self.at)
                }
            };
            self.key = key;
            return Some(token);
        }
    }

    fn enter(&mut self, object: bool, token: Token) -> Token {
        self.at += 1;
        self.open.push(object);
        self.expects_key = object;
        token
    }

    /// Skips the value that starts with `token` at `from`, and returns where it ends.
    pub(super) fn skip(&mut self, token: &Token, from: usize) -> usize {
        if let Token::Object(_) | Token::Array(_) = token {
            self.at = end_of_value(self.text, from);
            self.open.pop();
            self.expects_key = false;
        }
        self.at
    }
}
