//! The import rules on a small crate in a temporary folder, as the command reports them.

use std::fs;
use std::path::Path;

use super::imports_of;

/// A crate `engine` with three layers, without a violation.
const CLEAN: [(&str, &str); 6] = [
    (
        "xtask/layers.toml",
        "[[layers]]\ncrate = 'engine'\norder = [['ground'], ['http', 'sql'], ['lib']]\n\
         apart = [['http', 'sql']]\n",
    ),
    ("crates/engine/src/lib.rs", "mod ground;\nmod http;\nmod sql;\npub use sql::Row;\n"),
    ("crates/engine/src/ground.rs", "pub struct Word;\n"),
    ("crates/engine/src/http.rs", "use crate::ground::Word;\npub struct Page(Word);\n"),
    // The facade re-exports `Row`, and `write` imports it from there. This is not a cycle with the
    // facade.
    (
        "crates/engine/src/sql/mod.rs",
        "mod row;\nmod write;\npub use row::Row;\npub use write::write;\n",
    ),
    ("crates/engine/src/sql/row.rs", "pub struct Row(pub crate::ground::Word);\n"),
];

const WRITE: (&str, &str) = (
    "crates/engine/src/sql/write.rs",
    "use super::Row;\npub fn write(_: Row) {}\n#[cfg(test)]\nmod tests {\n    use crate::http::Page;\n    fn f(_: Page) {}\n}\n",
);

/// Reports on the clean crate with some files replaced or added.
fn report(changes: &[(&str, &str)]) -> Vec<String> {
    let root = tempfile::tempdir().expect("a directory");
    for (name, text) in CLEAN.iter().chain([&WRITE]).chain(changes) {
        write(root.path(), name, text);
    }
    imports_of(root.path()).expect("a readable crate")
}

fn write(root: &Path, name: &str, text: &str) {
    let path = root.join(name);
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    fs::write(path, text).expect("a file");
}

#[test]
fn reexports_and_tests_are_no_violation() {
    assert_eq!(report(&[]), Vec::<String>::new());
}

#[test]
fn a_cycle_is_reported_with_every_arrow() {
    let row = "use super::write as store;\npub struct Row(pub crate::ground::Word);\n\
               fn f(row: Row) { store(row) }\n";
    assert_eq!(
        report(&[("crates/engine/src/sql/row.rs", row)]),
        ["crates/engine/src: import cycle between sql/row.rs, sql/write.rs\n  \
          crates/engine/src/sql/row.rs:1: use super::write -> sql/write.rs\n  \
          crates/engine/src/sql/write.rs:1: use super::Row -> sql/row.rs\n  \
          Move what both sides need into a separate file that imports neither of them."]
    );
}

#[test]
fn a_cycle_through_a_path_in_code_is_reported() {
    let row = "pub struct Row(pub crate::ground::Word);\nfn f(row: Row) { super::write(row) }\n";
    let problems = report(&[("crates/engine/src/sql/row.rs", row)]);
    assert!(problems[0].contains("sql/row.rs:2: super::write -> sql/write.rs"), "{problems:?}");
}

#[test]
fn an_allowed_cycle_is_not_reported_until_another_file_joins_it() {
    let row = "pub struct Row(pub crate::ground::Word);\nfn f(row: Row) { super::write(row) }\n";
    let cycle = |files: &str| {
        format!(
            "{}[[allowed_cycle]]\ncrate = 'engine'\nfiles = {files}\nreason = 'a reason'\n",
            CLEAN[0].1
        )
    };
    let both = cycle("['sql/row.rs', 'sql/write.rs']");
    let one = cycle("['sql/row.rs']");
    let changed = ("crates/engine/src/sql/row.rs", row);
    assert!(report(&[changed, (CLEAN[0].0, &both)]).is_empty());
    let problems = report(&[changed, (CLEAN[0].0, &one)]);
    assert_eq!(problems.len(), 2, "{problems:?}");
    let problems = report(&[(CLEAN[0].0, &both)]);
    assert!(problems[0].contains("there is no cycle between the allowed files"), "{problems:?}");
}

#[test]
fn an_import_upward_is_reported_with_both_layers() {
    let ground = "pub struct Word;\nuse crate::sql::Row;\nfn f(_: Row) {}\n";
    let problems = report(&[("crates/engine/src/ground.rs", ground)]);
    assert_eq!(problems.len(), 2, "the cycle and the import upward: {problems:?}");
    assert_eq!(
        problems[1],
        "crates/engine/src/ground.rs:2: use crate::sql::Row -> sql/row.rs\n  \
         `ground` (layer 1) imports upward from `sql` (layer 2); see xtask/layers.toml\n  \
         Move what is needed to layer 1 or lower, or pass it in as an argument."
    );
}

#[test]
fn a_reexport_upward_is_reported_too() {
    let http = "use crate::ground::Word;\npub struct Page(Word);\npub use crate::Row;\n";
    let problems = report(&[("crates/engine/src/http.rs", http)]);
    assert_eq!(
        problems,
        ["crates/engine/src/http.rs:3: use crate::Row -> sql/row.rs\n  \
          `http` and `sql` must not import each other; see xtask/layers.toml\n  \
          Move what both need to a lower layer, or connect them in a higher one."]
    );
}

#[test]
fn a_glob_import_counts_for_the_names_that_are_used() {
    let http = "use crate::sql::*;\npub struct Page(Row);\n";
    let problems = report(&[("crates/engine/src/http.rs", http)]);
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(
        problems[0].starts_with("crates/engine/src/http.rs:1: use crate::sql::* -> sql/row.rs\n")
    );
    let unused = "use crate::sql::*;\npub struct Page;\n";
    assert!(report(&[("crates/engine/src/http.rs", unused)]).is_empty());
}

#[test]
fn a_module_imported_by_name_counts_where_it_is_used() {
    let http = "use crate::sql;\npub struct Page(sql::Row);\n";
    let problems = report(&[("crates/engine/src/http.rs", http)]);
    assert!(problems[0].starts_with("crates/engine/src/http.rs:2: sql::Row -> sql/row.rs\n"));
}

#[test]
fn a_cycle_between_folders_is_reported_without_a_cycle_of_files() {
    let layers = "[[layers]]\ncrate = 'engine'\norder = [['ground'], ['http', 'sql'], ['lib']]\n";
    let http = "use crate::sql::Row;\npub struct Page(Row);\n";
    let read = "use crate::http::Page;\nfn f(_: Page) {}\n";
    let facade = format!("{}mod read;\n", CLEAN[4].1);
    let problems = report(&[
        (CLEAN[0].0, layers),
        ("crates/engine/src/http.rs", http),
        ("crates/engine/src/sql/read.rs", read),
        (CLEAN[4].0, &facade),
    ]);
    assert_eq!(
        problems,
        ["crates/engine/src: import cycle between http, sql\n  \
          crates/engine/src/http.rs:1: use crate::sql::Row -> sql/row.rs\n  \
          crates/engine/src/sql/read.rs:1: use crate::http::Page -> http.rs\n  \
          Move what both sides need into a separate file that imports neither of them."]
    );
}

#[test]
fn every_file_has_a_layer_and_every_entry_a_file() {
    let layers = "[[layers]]\ncrate = 'engine'\norder = [['ground', 'sea'], ['http'], ['lib']]\n";
    assert_eq!(
        report(&[(CLEAN[0].0, layers)])
            .iter()
            .filter_map(|problem| problem.lines().next())
            .collect::<Vec<_>>(),
        [
            "crates/engine/src/sql/mod.rs: the file belongs to no layer",
            "crates/engine/src/sql/row.rs: the file belongs to no layer",
            "crates/engine/src/sql/write.rs: the file belongs to no layer",
            "xtask/layers.toml: `sea` is not a file or folder of crates/engine/src",
        ]
    );
}
