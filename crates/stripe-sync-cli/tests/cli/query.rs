//! `query`: what it accepts, and its output formats.

use std::fs::Permissions;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use serde_json::json;

use crate::memory::peak_memory;
use crate::support::{Cli, CommandOutput, connect, database_url};

async fn cli() -> Cli {
    Cli::new().env("DATABASE_URL", &database_url().await)
}

/// Runs `query -` with the text on stdin.
fn query_stdin(cli: &Cli, text: &str, args: &[&str]) -> CommandOutput {
    let mut command = cli.command(&[&["query", "-"], args].concat());
    let mut child = command.stdin(Stdio::piped()).spawn().expect("the binary");
    child.stdin.take().expect("stdin").write_all(text.as_bytes()).expect("written");
    CommandOutput::from(child.wait_with_output().expect("an end"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_begins_with_a_comment_is_not_an_option() {
    let cli = cli().await;
    for args in [
        &["query", "-- the number\nselect 1 as one"][..],
        &["query", "--no blank\nselect 1 as one"],
        &["-q", "query", "--output", "text", "-- the number\nselect 1 as one"],
        &["query", "-- the number\nselect 1 as one", "--output", "text"],
        &["query", "--", "-- the number\nselect 1 as one"],
    ] {
        let output = cli.run(args);
        assert_eq!(
            (output.code, output.stdout.as_str()),
            (Some(0), "one\n  1\n"),
            "{args:?}: {}",
            output.stderr
        );
    }
    for option in ["--outptu", "--outptu=json", "-x"] {
        let output = cli.run(&["query", option]);
        assert_eq!(output.code, Some(2), "{}", output.stderr);
        assert!(
            output.stderr.contains(&format!("unexpected argument '{option}'")),
            "{}",
            output.stderr
        );
    }
    let output = cli.run(&["query", "--database-ur=postgres://u:SeCrEt@h/d"]);
    assert_eq!(output.code, Some(2), "{}", output.stderr);
    assert!(!output.stderr.contains("SeCrEt"), "{}", output.stderr);
}

/// Whatever the format, memory does not grow with the result.
#[tokio::test(flavor = "multi_thread")]
async fn a_million_rows_are_streamed() {
    let cli = cli().await;
    let sql = "select n, 'row ' || n as text from generate_series(1, 1000000) n";
    for (format, lines) in [("text", 1_000_001), ("csv", 1_000_001), ("json", 1_000_002)] {
        let mut child = cli.start(&["query", sql, "--output", format, "-q"]);
        let stdout = child.stdout.take().expect("a pipe");
        let reader = std::thread::spawn(move || BufReader::new(stdout).lines().count());
        let peak = peak_memory(&mut child).await;
        assert_eq!(child.wait().expect("an end").code(), Some(0));
        assert_eq!(reader.join().expect("the reader"), lines, "{format}");
        assert!(peak > 0 && peak < 64 << 20, "{format}: {peak} bytes");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn several_statements_are_read_from_stdin() {
    let cli = cli().await;
    let text = "select 1 as one; -- a comment; with a semicolon\n\
                select ';' as \"a;b\" /* ; /* ; */ ; */;;\n\
                select $a$;$a$ as dollar, E'\\';' as escaped, 'it''s;' as doubled;\n-- the end\n";
    let output = query_stdin(&cli, text, &["-q"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert_eq!(
        output.stdout,
        "one\n  1\n\na;b\n;\n\ndollar  escaped  doubled\n;       ';       it's;\n"
    );
    let output = query_stdin(&cli, text, &["--output", "json"]);
    assert_eq!(
        output.json(),
        json!([
            [{ "one": 1 }],
            [{ "a;b": ";" }],
            [{ "dollar": ";", "escaped": "';", "doubled": "it's;" }]
        ])
    );
    let output = query_stdin(&cli, "select 1 as a; select nonsense; select 2 as b", &["-q"]);
    assert_eq!((output.code, output.stdout.as_str()), (Some(1), "a\n1\n"));
    assert!(output.stderr.contains("column \"nonsense\" does not exist"), "{}", output.stderr);
    // A statement of the user cannot end the transaction.
    let output = query_stdin(&cli, "commit; create table public.evil (x int)", &["-q"]);
    assert_eq!((output.code, output.stdout.as_str()), (Some(1), ""));
    for empty in ["", " ;\n; ", "-- only a comment\n"] {
        let output = query_stdin(&cli, empty, &["-q"]);
        assert_eq!(output.code, Some(2), "{empty:?}");
        assert!(output.stderr.starts_with("error: the statement is empty"), "{}", output.stderr);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn csv_quotes_values_if_needed_and_distinguishes_null_from_empty() {
    let cli = cli().await;
    let sql = "select 1 as id, 'a,b' as \"x,y\", 'say \"hi\"' as q, E'two\\nlines' as l, null as n, '' as e, ' s' as s";
    let output = cli.run(&["query", sql, "--output", "csv"]);
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""));
    assert_eq!(
        output.stdout,
        "id,\"x,y\",q,l,n,e,s\n1,\"a,b\",\"say \"\"hi\"\"\",\"two\nlines\",,\"\", s\n"
    );
    let output = cli.run(&["query", "select 1 as x where false", "--output", "csv"]);
    assert_eq!(output.stdout, "x\n");
    for args in [&["status"][..], &["migrate"], &["backfill"], &["demo"], &["completions", "bash"]]
    {
        let output = cli.run(&[args, &["--output", "csv"]].concat());
        assert_eq!((output.code, output.stdout.as_str()), (Some(2), ""), "{args:?}");
        assert_eq!(
            output.stderr,
            "error: --output csv works with `query` only\n  hint: use --output json\n"
        );
    }
}

/// An unterminated escape sequence would affect the following rows.
#[tokio::test(flavor = "multi_thread")]
async fn control_characters_and_escape_sequences_are_printed_as_they_are() {
    let cli = cli().await;
    let codes = || (1..32).chain(127..160);
    let character = |code: u32| char::from_u32(code).expect("a character");
    let sequences =
        ["\u{1b}[31mred\u{1b}[0m", "\u{1b}]0;title", "\u{1b}P", "\u{9b}2J", "\u{9d}x", "last"];
    let mut values: Vec<String> = codes().map(|code| format!("<{}>", character(code))).collect();
    values.extend(sequences.map(str::to_owned));
    let all = values.iter().map(|value| format!("('{value}')")).collect::<Vec<_>>().join(", ");
    let sql = format!("select v as \"a\u{1b}[1mb\" from (values {all}) as t (v)");
    for color in ["auto", "always", "never"] {
        let output = cli.run(&["query", &sql, "--output", "csv", "--color", color]);
        let quoted = |value: &String| match value.contains(['\n', '\r']) {
            true => format!("\"{value}\"\n"),
            false => format!("{value}\n"),
        };
        let expected: String = values.iter().map(quoted).collect();
        assert_eq!(output.code, Some(0), "{}", output.stderr);
        assert_eq!(output.stdout, format!("a\u{1b}[1mb\n{expected}"), "{color}");
        let output = cli.run(&["query", &sql, "--output", "json", "--color", color]);
        let rows: Vec<_> = values.iter().map(|v| json!({ "a\u{1b}[1mb": v })).collect();
        assert_eq!(output.json(), json!(rows), "{color}");
    }
    let text = cli.run(&["query", &sql]).stdout;
    assert_eq!(text.lines().count(), values.len() + 1, "{text:?}");
    assert!(text.contains("\\u{1b}]0;title\n") && text.ends_with("\nlast\n"), "{text:?}");
    assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{text:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_schema_is_on_the_search_path() {
    let admin = connect(&database_url().await).await;
    admin
        .batch_execute(
            "create schema \"On \"\"Path\"; create table \"On \"\"Path\".things (n int);
             insert into \"On \"\"Path\".things values (7);
             create table public.in_public (n int); insert into public.in_public values (8)",
        )
        .await
        .expect("tables");
    let cli = cli().await.env("SCHEMA", "On \"Path");
    let sql = "select things.n, in_public.n as other from things, in_public";
    let output = cli.run(&["query", sql, "-q"]);
    assert_eq!(
        (output.code, output.stdout.as_str()),
        (Some(0), "n  other\n7      8\n"),
        "{}",
        output.stderr
    );
    let output = cli.run(&["query", sql, "--output", "json"]);
    assert_eq!(output.json(), json!([{ "n": 7, "other": 8 }]));
    // The setting applies only until the end of the transaction.
    let output = query_stdin(&cli, "show search_path; show search_path", &["--output", "json"]);
    let paths = output.json();
    assert_eq!(paths[0], paths[1]);
    assert_eq!(paths[0][0]["search_path"], "\"On \"\"Path\", \"$user\", public");
}

/// A statement that fails while it runs, for whatever reason, is not executed again in another form.
#[tokio::test(flavor = "multi_thread")]
async fn a_statement_is_executed_only_once_for_json() {
    let dir = tempfile::tempdir().expect("a directory");
    // The server can run as another user.
    std::fs::set_permissions(dir.path(), Permissions::from_mode(0o777)).expect("writable");
    let calls = dir.path().join("calls");
    let admin = connect(&database_url().await).await;
    let function = format!(
        "create schema counted;
         create function counted.fail(code text) returns int language plpgsql as $$ begin
           copy (select 1) to program 'cat >> {}';
           raise exception 'it failed' using errcode = code; end $$",
        calls.display()
    );
    admin.batch_execute(&function).await.expect("a function");
    let cli = cli().await;
    for code in ["22012", "42601", "0A000", "42703", "57014", "40001"] {
        let sql = format!("select counted.fail('{code}')");
        let output = cli.run(&["query", &sql, "--output", "json"]);
        assert_eq!(output.code, Some(1), "{code}: {}", output.stdout);
        assert!(output.stderr.contains("it failed"), "{code}: {}", output.stderr);
        assert_eq!(std::fs::read_to_string(&calls).expect("calls"), "1\n", "{code}");
        std::fs::remove_file(&calls).expect("ours or in our directory");
    }
    for (sql, message) in [
        ("select nonsense from pg_class", "column \"nonsense\" does not exist"),
        ("select 1) a, (select 2", "syntax error at or near \")\""),
        ("delete from pg_class", "cannot execute DELETE in a read-only transaction"),
        (
            "with d as (delete from pg_class returning 1) select * from d",
            "in a read-only transaction",
        ),
    ] {
        let output = cli.run(&["query", sql, "--output", "json"]);
        assert_eq!(output.code, Some(1), "{sql}: {}", output.stdout);
        assert!(output.stderr.contains(message), "{sql}: {}", output.stderr);
    }
}
