//! Checks that `docs/promises.md` names at least one test for each promise, and that every test
//! that a document names exists.
//!
//! A test is named `path/to/file.rs::test_name` in backticks, with the path from the root of the
//! repository. A path without a test means all tests of the file.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use proc_macro2::{TokenStream, TokenTree};

use super::source::{content, is_test_marker};

const FILE: &str = "docs/promises.md";

/// Every wrong reference in `documents`, and every promise without a test.
///
/// # Errors
/// If a document or a file that it names cannot be read.
pub(super) fn check(root: &Path, documents: &[PathBuf]) -> Result<Vec<String>> {
    let mut tests = Tests { root, known: BTreeMap::new() };
    let mut problems = promises_without_test(&read(root, FILE)?);
    for document in documents {
        let document = document.to_string_lossy();
        for (line, reference) in references(&read(root, &document)?) {
            if let Some(problem) = tests.problem_with(&reference)? {
                problems.push(format!("{document}:{line}: {problem}"));
            }
        }
    }
    Ok(problems)
}

/// The tests of the files that have been read.
struct Tests<'a> {
    root: &'a Path,
    known: BTreeMap<String, BTreeSet<String>>,
}

impl Tests<'_> {
    fn problem_with(&mut self, reference: &str) -> Result<Option<String>> {
        let (file, test) = match reference.split_once("::") {
            Some((file, test)) => (file, Some(test)),
            None => (reference, None),
        };
        if !self.root.join(file).is_file() {
            return Ok(Some(format!(
                "there is no file {file}\n  \
                 Name the file that the test is in, relative to the root of the repository."
            )));
        }
        let Some(test) = test else { return Ok(None) };
        if !self.known.contains_key(file) {
            let tests = tests_in(&read(self.root, file)?).with_context(|| file.to_owned())?;
            self.known.insert(file.to_owned(), tests);
        }
        Ok((!self.known[file].contains(test)).then(|| {
            format!(
                "there is no test `{test}` in {file}\n  \
                 Write the name of an existing test, as in `path/to/file.rs::test_name`."
            )
        }))
    }
}

fn read(root: &Path, file: &str) -> Result<String> {
    fs::read_to_string(root.join(file)).with_context(|| file.to_owned())
}

/// Words in backticks that name a Rust file relative to the root of the repository, or a test in
/// one, each with its line.
fn references(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for word in line.split('`').skip(1).step_by(2) {
            let is_path = word.starts_with("crates/") || word.starts_with("xtask/");
            let names_file = word.ends_with(".rs") || word.contains(".rs::");
            // `crates/*/src/**.rs` is a pattern.
            if is_path && names_file && !word.contains(['*', ' ']) {
                found.push((index + 1, word.to_owned()));
            }
        }
    }
    found
}

/// A promise is a heading of the second level.
fn promises_without_test(text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let mut open: Option<(usize, &str)> = None;
    for (index, line) in text.lines().enumerate() {
        if let Some(title) = line.strip_prefix("## ") {
            problems.extend(open.map(without_test));
            open = Some((index + 1, title));
        } else if line.contains(".rs::") {
            open = None;
        }
    }
    problems.extend(open.map(without_test));
    problems
}

fn without_test((line, title): (usize, &str)) -> String {
    format!(
        "{FILE}:{line}: no test verifies the promise `{title}`\n  \
         Name one below its heading, as in `path/to/file.rs::test_name`."
    )
}

/// The names of all test functions in a file, including those inside macros such as `proptest!`.
fn tests_in(source: &str) -> Result<BTreeSet<String>> {
    let stream: TokenStream =
        source.parse().map_err(|error: proc_macro2::LexError| anyhow::anyhow!("{error}"))?;
    let mut found = BTreeSet::new();
    collect_tests(&stream.into_iter().collect::<Vec<_>>(), &mut found);
    Ok(found)
}

fn collect_tests(tokens: &[TokenTree], found: &mut BTreeSet<String>) {
    let mut marked = false;
    let mut rest = tokens.iter().peekable();
    while let Some(token) = rest.next() {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == '#' => {
                if let Some(TokenTree::Group(attribute)) = rest.peek() {
                    marked = marked || is_test_marker(&content(attribute));
                    rest.next();
                }
            }
            TokenTree::Ident(word) if *word == "fn" => {
                if let (true, Some(TokenTree::Ident(name))) = (marked, rest.peek()) {
                    found.insert(name.to_string());
                }
                marked = false;
            }
            TokenTree::Group(group) => collect_tests(&content(group), found),
            TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "
        fn helper() {}
        #[test]
        fn plain() {}
        mod inner {
            #[tokio::test(flavor = \"multi_thread\")]
            #[ignore = \"slow\"]
            async fn with_arguments() {}
            #[cfg(test)]
            fn not_a_test() {}
        }
        proptest! {
            #[test]
            fn property(a in 0..3) {}
        }
        const TEXT: &str = \"#[test] fn quoted() {}\";
    ";

    #[test]
    fn test_functions_are_found_wherever_they_stand() {
        let found = tests_in(SOURCE).expect("tokens");
        assert_eq!(found.into_iter().collect::<Vec<_>>(), ["plain", "property", "with_arguments"]);
    }

    #[test]
    fn what_does_not_exist_is_reported_with_its_line() {
        let root = tempfile::tempdir().expect("a directory");
        let write = |name: &str, text: &str| {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(path, text).expect("a file");
        };
        write("crates/a/src/b.rs", SOURCE);
        write(
            FILE,
            "# Promises\n\n## 1. Kept\n`crates/a/src/b.rs::plain`, `crates/a/src/b.rs::helper`\n\
             ## 2. Open\nSee `crates/a/src/c.rs`, `crates/*/src/*.rs`, `b.rs`.\n",
        );
        let problems = check(root.path(), &[FILE.into()]).expect("files");
        let first_lines: Vec<&str> = problems.iter().filter_map(|p| p.lines().next()).collect();
        assert_eq!(
            first_lines,
            [
                "docs/promises.md:5: no test verifies the promise `2. Open`",
                "docs/promises.md:4: there is no test `helper` in crates/a/src/b.rs",
                "docs/promises.md:6: there is no file crates/a/src/c.rs",
            ]
        );
    }
}
