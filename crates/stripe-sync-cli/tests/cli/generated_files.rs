//! Completion scripts and man pages.

use std::collections::BTreeSet;

use crate::support::Cli;

const COMMANDS: [&str; 12] = [
    "migrate",
    "backfill",
    "refresh",
    "follow",
    "webhook",
    "check",
    "status",
    "query",
    "demo",
    "completions",
    "man-pages",
    "help",
];

#[test]
fn completions_name_every_command_and_the_options() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let cli = Cli::new();
        let output = cli.run(&["completions", shell]);
        assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{shell}");
        for word in COMMANDS.iter().chain(&["skip-denied", "database-url"]) {
            assert!(output.stdout.contains(word), "{shell}: {word}");
        }
        assert_eq!(std::fs::read_dir(cli.home()).expect("home").count(), 0);
    }
    let output = Cli::new().run(&["completions", "tcsh"]);
    assert_eq!((output.code, output.stdout.as_str()), (Some(2), ""));
    assert!(output.stderr.contains("bash, elvish, fish, powershell, zsh"), "{}", output.stderr);
}

#[test]
fn bash_accepts_its_completions() {
    let cli = Cli::new();
    let script = cli.run(&["completions", "bash"]).stdout;
    assert!(script.contains("complete -F"), "{script}");
    let file = cli.home().join("completions");
    std::fs::write(&file, script).expect("written");
    let checked = std::process::Command::new("bash").arg("-n").arg(&file).output().expect("bash");
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}

#[test]
fn man_pages_are_written_for_the_program_and_every_command() {
    let cli = Cli::new();
    let output = cli.run(&["man-pages", "man/man1"]);
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""));
    let dir = cli.home().join("man/man1");
    let files: BTreeSet<String> = std::fs::read_dir(&dir)
        .expect("the directory")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"))
        .collect();
    let commands = COMMANDS.iter().filter(|command| **command != "help");
    let expected: BTreeSet<String> = commands
        .map(|command| format!("stripe-sync-{command}.1"))
        .chain(["stripe-sync.1".to_owned()])
        .chain(["create", "list", "delete"].map(|name| format!("stripe-sync-webhook-{name}.1")))
        .collect();
    assert_eq!(files, expected);
    assert_eq!(output.stdout, "wrote 15 man pages to man/man1\n");
    let page = std::fs::read_to_string(dir.join("stripe-sync-backfill.1")).expect("a page");
    for text in [".TH stripe-sync-backfill 1", "skip\\-denied", "resumes where it stopped"] {
        assert!(page.contains(text), "{text}: {page}");
    }
}

#[test]
fn a_directory_that_cannot_be_written_is_an_error() {
    let cli = Cli::new();
    std::fs::write(cli.home().join("file"), "").expect("written");
    let output = cli.run(&["man-pages", "file/man1"]);
    assert_eq!((output.code, output.stdout.as_str()), (Some(1), ""));
    assert!(
        output.stderr.starts_with("error: cannot write man pages to file/man1: "),
        "{}",
        output.stderr
    );
}
