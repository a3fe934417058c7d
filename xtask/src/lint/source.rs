//! Reads one module of Rust source: the names it declares, its `use` declarations and the paths in
//! its code.
//!
//! Works on tokens, so it ignores comments and strings but reads the arguments of macros. Ignores
//! items that exist only in tests (`#[cfg(test)]`, `#[test]`). Does not access files.

use std::collections::BTreeSet;

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};

/// What one module declares and uses.
#[derive(Default)]
pub(super) struct Source {
    /// Functions, types, constants and macros that the module defines.
    pub(super) defines: BTreeSet<String>,
    pub(super) modules: Vec<Submodule>,
    pub(super) imports: Vec<Import>,
    /// Paths of two or more segments outside `use` declarations.
    pub(super) paths: Vec<InlinePath>,
    /// Every identifier outside `use` declarations.
    pub(super) identifiers: BTreeSet<String>,
}

/// `mod name;` or `mod name { .. }`.
pub(super) struct Submodule {
    pub(super) name: String,
    /// The module's content if it is in the same file.
    pub(super) inline: Option<Source>,
}

/// One name that a `use` declaration brings into scope.
pub(super) struct Import {
    pub(super) path: Vec<String>,
    pub(super) binding: Binding,
    /// Whether the declaration has a visibility, so that other modules can use the name.
    pub(super) reexport: bool,
    pub(super) line: usize,
}

/// The name of an import in the module.
#[derive(PartialEq, Eq)]
pub(super) enum Binding {
    Name(String),
    /// `use path::*`
    Glob,
}

/// `a::b::c` as written in code.
pub(super) struct InlinePath {
    pub(super) path: Vec<String>,
    pub(super) line: usize,
}

impl Source {
    /// Reads a file. Returns `None` if the whole file exists only in tests.
    ///
    /// # Errors
    /// If the text is not a sequence of Rust tokens.
    pub(super) fn parse(text: &str) -> Result<Option<Source>, String> {
        let stream: TokenStream = text
            .parse()
            .map_err(|error: proc_macro2::LexError| format!("not valid Rust: {error}"))?;
        let tokens: Vec<TokenTree> = stream.into_iter().collect();
        Ok(Source::of_module(&tokens))
    }

    fn of_module(tokens: &[TokenTree]) -> Option<Source> {
        let whole = tokens.windows(3).any(|three| {
            is_punct(&three[0], '#') && is_punct(&three[1], '!') && is_test_attribute(&three[2])
        });
        if whole {
            return None;
        }
        let mut source = Source::default();
        source.read(tokens, true);
        Some(source)
    }

    /// Reads one sequence of tokens. `items` is true if its declarations belong to the module.
    fn read(&mut self, tokens: &[TokenTree], items: bool) {
        let mut at = 0;
        while at < tokens.len() {
            at = self.read_one(tokens, at, items);
        }
    }

    /// Reads one element at `at` and returns the position after it.
    fn read_one(&mut self, tokens: &[TokenTree], at: usize, items: bool) -> usize {
        match &tokens[at] {
            TokenTree::Punct(punct) if punct.as_char() == '#' => {
                let Some(attribute) = tokens.get(at + 1) else { return at + 1 };
                if is_test_attribute(attribute) {
                    return after_item(tokens, at + 2);
                }
                at + 1
            }
            TokenTree::Group(group) => {
                self.read(&content(group), false);
                at + 1
            }
            TokenTree::Ident(ident) => self.read_word(tokens, at, ident, items),
            TokenTree::Punct(_) | TokenTree::Literal(_) => at + 1,
        }
    }

    fn read_word(&mut self, tokens: &[TokenTree], at: usize, ident: &Ident, items: bool) -> usize {
        let word = name_of(ident);
        let following = tokens.get(at + 1);
        match (word.as_str(), following) {
            // `use<'a>` in a return type is not a declaration.
            ("use", Some(token)) if !is_punct(token, '<') => {
                let end = position_of(tokens, at, ';');
                let reexport = at > 0 && ends_visibility(&tokens[at - 1]);
                read_use_tree(&tokens[at + 1..end], &[], reexport, &mut self.imports);
                return end;
            }
            ("mod", Some(TokenTree::Ident(name))) if items => {
                return self.read_submodule(tokens, at, name);
            }
            ("macro_rules", Some(_)) if items => {
                if let Some(TokenTree::Ident(name)) = tokens.get(at + 2) {
                    self.defines.insert(name_of(name));
                }
            }
            (
                "fn" | "struct" | "enum" | "union" | "trait" | "type" | "const" | "static",
                Some(TokenTree::Ident(name)),
            ) if items => {
                self.defines.insert(name_of(name));
            }
            _ => {}
        }
        self.identifiers.insert(word);
        self.read_path(tokens, at)
    }

    fn read_submodule(&mut self, tokens: &[TokenTree], at: usize, name: &Ident) -> usize {
        let name = name_of(name);
        match tokens.get(at + 2) {
            Some(TokenTree::Group(body)) => {
                if let Some(inline) = Source::of_module(&content(body)) {
                    self.modules.push(Submodule { name, inline: Some(inline) });
                }
            }
            _ => self.modules.push(Submodule { name, inline: None }),
        }
        at + 3
    }

    fn read_path(&mut self, tokens: &[TokenTree], at: usize) -> usize {
        let continues = at >= 2 && is_path_separator(tokens, at - 2);
        let mut path = Vec::new();
        let mut end = at;
        while let Some(TokenTree::Ident(segment)) = tokens.get(end) {
            path.push(name_of(segment));
            if !is_path_separator(tokens, end + 1) {
                end += 1;
                break;
            }
            end += 3;
        }
        self.identifiers.extend(path.iter().cloned());
        // A path after `>::` or a leading `::` does not start with a name of this module.
        if path.len() > 1 && !continues {
            self.paths.push(InlinePath { path, line: line_of(&tokens[at]) });
        }
        end
    }
}

/// Reads the tree of a `use` declaration, without `use` and `;`.
fn read_use_tree(
    tokens: &[TokenTree],
    prefix: &[String],
    reexport: bool,
    imports: &mut Vec<Import>,
) {
    let mut path = prefix.to_vec();
    let mut line = tokens.first().map_or(0, line_of);
    let mut alias = None;
    let mut rest = tokens.iter();
    while let Some(token) = rest.next() {
        match token {
            TokenTree::Ident(ident) if *ident == "as" => {
                alias = rest.next().map(ToString::to_string);
            }
            TokenTree::Ident(ident) if *ident == "self" && !path.is_empty() => {}
            TokenTree::Ident(ident) => {
                path.push(name_of(ident));
                line = line_of(token);
            }
            TokenTree::Group(group) => {
                let inside = content(group);
                for tree in inside.split(|token| is_punct(token, ',')) {
                    if !tree.is_empty() {
                        read_use_tree(tree, &path, reexport, imports);
                    }
                }
                return;
            }
            TokenTree::Punct(punct) if punct.as_char() == '*' => {
                imports.push(Import { path, binding: Binding::Glob, reexport, line });
                return;
            }
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
    if let Some(name) = alias.or_else(|| path.last().cloned()) {
        imports.push(Import { path, binding: Binding::Name(name), reexport, line });
    }
}

/// The position after the item at `at`, which may begin with further attributes.
fn after_item(tokens: &[TokenTree], mut at: usize) -> usize {
    while is_punct_at(tokens, at, '#') {
        at += 2;
    }
    let word = |at: usize| match tokens.get(at) {
        Some(TokenTree::Ident(ident)) => ident.to_string(),
        _ => String::new(),
    };
    let first = if word(at) == "pub" {
        at + 1 + usize::from(matches!(tokens.get(at + 1), Some(TokenTree::Group(_))))
    } else {
        at
    };
    let has_semicolon = match word(first).as_str() {
        "use" | "static" | "type" | "let" => true,
        "const" => word(first + 1) != "fn",
        _ => false,
    };
    let is_item = has_semicolon
        || matches!(
            word(first).as_str(),
            "async"
                | "const"
                | "enum"
                | "extern"
                | "fn"
                | "impl"
                | "macro_rules"
                | "mod"
                | "struct"
                | "trait"
                | "union"
                | "unsafe"
        );
    for (index, token) in tokens.iter().enumerate().skip(at) {
        let ends = match token {
            TokenTree::Punct(punct) => {
                punct.as_char() == ';' || (punct.as_char() == ',' && !is_item)
            }
            TokenTree::Group(group) => group.delimiter() == Delimiter::Brace && !has_semicolon,
            TokenTree::Ident(_) | TokenTree::Literal(_) => false,
        };
        if ends {
            return index + 1;
        }
    }
    tokens.len()
}

/// Whether an attribute, without its `#`, restricts the following item to tests.
fn is_test_attribute(attribute: &TokenTree) -> bool {
    let TokenTree::Group(group) = attribute else { return false };
    let tokens = content(group);
    match tokens.first() {
        Some(TokenTree::Ident(ident)) if *ident == "cfg" => match tokens.get(1) {
            Some(TokenTree::Group(condition)) => requires_test(&content(condition)),
            _ => false,
        },
        Some(TokenTree::Ident(_)) => is_test_marker(&tokens),
        _ => false,
    }
}

/// Whether the tokens are `test`, or `tokio::test` with or without arguments.
pub(super) fn is_test_marker(tokens: &[TokenTree]) -> bool {
    let path = tokens.iter().take_while(|token| !matches!(token, TokenTree::Group(_)));
    matches!(path.last(), Some(TokenTree::Ident(last)) if *last == "test")
}

/// Whether the condition is `test`, or `all(..)` that contains `test`.
fn requires_test(condition: &[TokenTree]) -> bool {
    match condition {
        [TokenTree::Ident(only)] => *only == "test",
        [TokenTree::Ident(all), TokenTree::Group(inside)] if *all == "all" => {
            content(inside).split(|token| is_punct(token, ',')).any(requires_test)
        }
        _ => false,
    }
}

fn ends_visibility(token: &TokenTree) -> bool {
    match token {
        TokenTree::Ident(ident) => *ident == "pub",
        TokenTree::Group(group) => group.delimiter() == Delimiter::Parenthesis,
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    }
}

fn is_path_separator(tokens: &[TokenTree], at: usize) -> bool {
    is_punct_at(tokens, at, ':') && is_punct_at(tokens, at + 1, ':')
}

fn is_punct_at(tokens: &[TokenTree], at: usize, sign: char) -> bool {
    tokens.get(at).is_some_and(|token| is_punct(token, sign))
}

fn is_punct(token: &TokenTree, sign: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == sign)
}

fn position_of(tokens: &[TokenTree], from: usize, sign: char) -> usize {
    (from..tokens.len()).find(|at| is_punct(&tokens[*at], sign)).unwrap_or(tokens.len())
}

fn line_of(token: &TokenTree) -> usize {
    token.span().start().line
}

fn name_of(ident: &Ident) -> String {
    let name = ident.to_string();
    name.strip_prefix("r#").map_or(name.clone(), str::to_owned)
}

pub(super) fn content(group: &Group) -> Vec<TokenTree> {
    group.stream().into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Source {
        Source::parse(text).expect("valid Rust").expect("not a test file")
    }

    fn imports(text: &str) -> Vec<String> {
        let source = parse(text);
        let shown = |import: &Import| {
            let name = match &import.binding {
                Binding::Name(name) => name.as_str(),
                Binding::Glob => "*",
            };
            let sign = if import.reexport { "pub " } else { "" };
            format!("{sign}{} = {name} @{}", import.path.join("::"), import.line)
        };
        source.imports.iter().map(shown).collect()
    }

    #[test]
    fn nested_use_trees_are_read_name_by_name() {
        let text = "use crate::{a::{self, B as C},\n d::*};\npub(crate) use super::e;\n";
        assert_eq!(
            imports(text),
            ["crate::a = a @1", "crate::a::B = C @1", "crate::d = * @2", "pub super::e = e @3"]
        );
    }

    #[test]
    fn a_use_inside_a_function_counts() {
        assert_eq!(imports("fn f() { use crate::a::B; }"), ["crate::a::B = B @1"]);
    }

    #[test]
    fn inline_paths_are_found_in_code_and_in_macro_arguments() {
        let source = parse("fn f() { crate::a::b(format!(\"{}\", super::c::D)); T::new(); e }");
        let paths: Vec<String> = source.paths.iter().map(|found| found.path.join("::")).collect();
        assert_eq!(paths, ["crate::a::b", "super::c::D", "T::new"]);
    }

    #[test]
    fn comments_and_strings_are_no_paths() {
        let source = parse("/// [`crate::a`]\n// crate::b::c\nconst D: &str = \"crate::d::e\";");
        assert!(source.paths.is_empty());
    }

    #[test]
    fn items_that_exist_in_tests_only_are_not_read() {
        let text = "
            #[cfg(test)] use crate::a::A;
            #[cfg(test)] mod b;
            #[cfg(all(test, unix))] mod c { use crate::c::C; }
            #[test] fn d() { crate::d::e() }
            impl F { #[cfg(test)] fn g<A, B>() { crate::g::h() } fn kept() { crate::i::j() } }
            struct K { #[cfg(test)] l: crate::l::L, m: crate::m::M }
            #[cfg(any(test, unix))] use crate::n::N;
        ";
        let source = parse(text);
        let paths: Vec<String> = source.paths.iter().map(|found| found.path.join("::")).collect();
        assert_eq!(paths, ["crate::i::j", "crate::m::M"]);
        assert_eq!(imports(text), ["crate::n::N = N @8"]);
        assert!(source.modules.is_empty());
    }

    #[test]
    fn a_file_with_an_inner_test_attribute_is_not_read() {
        assert!(Source::parse("#![cfg(test)] use crate::a;").expect("valid Rust").is_none());
    }

    #[test]
    fn definitions_are_those_of_the_module() {
        let source = parse("macro_rules! a { () => {} } impl B { fn c() {} } async fn d() {}");
        assert_eq!(source.defines.into_iter().collect::<Vec<_>>(), ["a", "d"]);
    }
}
