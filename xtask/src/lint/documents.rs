//! Checks that relative links in documents point to existing files, and that `ARCHITECTURE.md`
//! stays short.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

const AT_THE_ROOT: [&str; 5] =
    ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"];

/// `ARCHITECTURE.md` can be read in a quarter of an hour. Details are in `docs/design/`.
const ARCHITECTURE_BYTES: u64 = 12 * 1024;

/// Every broken link and every document that is too long.
///
/// # Errors
/// If a document cannot be read.
pub(super) fn check(root: &Path, documents: &[PathBuf]) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    for file in documents {
        let path = root.join(file);
        let text = fs::read_to_string(&path).with_context(|| file.display().to_string())?;
        let folder = path.parent().unwrap_or(root);
        for (line, link) in links(&text) {
            let Some(target) = relative_target(link) else { continue };
            if !folder.join(target).exists() {
                problems.push(format!(
                    "{}:{line}: the link points to {target}, which does not exist",
                    file.display()
                ));
            }
        }
    }
    problems.extend(too_long(root, "ARCHITECTURE.md", ARCHITECTURE_BYTES));
    Ok(problems)
}

fn too_long(root: &Path, file: &str, bound: u64) -> Option<String> {
    let bytes = fs::metadata(root.join(file)).ok()?.len();
    (bytes > bound).then(|| {
        format!(
            "{file}: {bytes} bytes, at most {bound} are allowed\n  \
             Move details to docs/design/ and reasons to docs/decisions/."
        )
    })
}

/// The documents relative to the root, in a stable order.
///
/// # Errors
/// If a directory cannot be read.
pub(super) fn find(root: &Path) -> Result<Vec<PathBuf>> {
    let mut found: Vec<PathBuf> = AT_THE_ROOT.map(PathBuf::from).into();
    found.retain(|file| root.join(file).is_file());
    let mut folders = vec![PathBuf::from("docs")];
    while let Some(folder) = folders.pop() {
        let path = root.join(&folder);
        for entry in fs::read_dir(&path).with_context(|| folder.display().to_string())? {
            let entry = entry?;
            let name = folder.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                folders.push(name);
            } else if name.extension().is_some_and(|extension| extension == "md") {
                found.push(name);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The destinations of Markdown links and images outside code, each with its line.
fn links(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut in_block = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
            continue;
        }
        if in_block {
            continue;
        }
        // Every second piece between backticks is code.
        for prose in line.split('`').step_by(2) {
            let inline = prose.match_indices("](").filter_map(|(at, mark)| {
                let rest = &prose[at + mark.len()..];
                rest.split([')', ' ']).next()
            });
            found.extend(inline.map(|link| (index + 1, link)));
        }
        // The backticks split `[`code`](target)`: its target is in the piece after the code.
        if let Some(definition) = line.strip_prefix('[').and_then(|l| l.split_once("]: ")) {
            found.push((index + 1, definition.1.trim()));
        }
    }
    found
}

/// The file part of a link; `None` for addresses and for anchors in the same document.
fn relative_target(link: &str) -> Option<&str> {
    let file = link.split('#').next()?;
    let outside = file.contains("://") || file.starts_with("mailto:");
    (!file.is_empty() && !outside).then_some(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_outside_code_are_found() {
        let text = "[a](b.md#c) and [`d`](e.md)\n```\n[f](g.md)\n```\n`[h](i.md)`\n[j]: k.md\n";
        assert_eq!(links(text), [(1, "b.md#c"), (1, "e.md"), (6, "k.md")]);
    }

    #[test]
    fn addresses_and_anchors_are_no_files() {
        assert_eq!(relative_target("https://stripe.com/docs"), None);
        assert_eq!(relative_target("#exit-codes"), None);
        assert_eq!(relative_target("../README.md#key"), Some("../README.md"));
    }

    #[test]
    fn a_link_to_nothing_and_a_long_document_are_reported() {
        let root = tempfile::tempdir().expect("a directory");
        fs::create_dir_all(root.path().join("docs/design")).expect("a folder");
        fs::write(root.path().join("docs/design/a.md"), "[b](../b.md)\n[c](c.md)\n")
            .expect("a file");
        fs::write(root.path().join("docs/b.md"), "").expect("a file");
        fs::write(root.path().join("ARCHITECTURE.md"), "x".repeat(12 * 1024 + 1)).expect("a file");
        assert_eq!(
            check(root.path(), &find(root.path()).expect("documents")).expect("documents"),
            [
                "docs/design/a.md:2: the link points to c.md, which does not exist".to_owned(),
                "ARCHITECTURE.md: 12289 bytes, at most 12288 are allowed\n  \
                 Move details to docs/design/ and reasons to docs/decisions/."
                    .to_owned(),
            ]
        );
    }
}
