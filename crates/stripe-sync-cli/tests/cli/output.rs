//! What backfill, status, query, refresh and demo print, as text and as JSON.

use stripe_sim::{Account, ApiKey, Sim, SimOptions};

use crate::support::{Cli, CommandOutput, small_sim, stable_snapshots};

#[tokio::test(flavor = "multi_thread")]
async fn text_output_is_readable() {
    let _snapshots = stable_snapshots();
    let sim = small_sim().await;
    let cli = Cli::with_both(&sim, "people").await;
    let run = |args: &[&str]| -> CommandOutput { cli.run(args) };

    let status = run(&["status"]);
    insta::assert_snapshot!("status_of_nothing", status.stdout);
    let migrate = run(&["migrate"]);
    insta::assert_snapshot!("migrate", migrate.stdout);
    let again = run(&["migrate"]);
    insta::assert_snapshot!("migrate_again", again.stdout);

    let objects = "customer,invoice,product,topup,transfer,billing.credit_balance_transaction";
    let backfill = run(&["backfill", "--object", objects, "--max-rps", "none"]);
    assert_eq!((backfill.code, backfill.messages()), (Some(0), ""));
    insta::assert_snapshot!("backfill", backfill.stdout);
    let status = run(&["status"]);
    insta::assert_snapshot!("status", status.stdout);

    let sql = "select active, count(*), null as nothing from people.products group by 1; -- all";
    let query = run(&["query", sql]);
    assert_eq!(query.code, Some(0), "{}", query.stderr);
    insta::assert_snapshot!("query", query.stdout);
    let wrong = run(&["query", "select missing from people.products"]);
    assert_eq!((wrong.code, wrong.stdout.as_str()), (Some(1), ""));
    insta::assert_snapshot!("query_wrong", wrong.stderr);
    let writing = run(&["query", "delete from people.products"]);
    assert_eq!(writing.code, Some(1));
    insta::assert_snapshot!("query_writing", writing.stderr);
    let rejected: Vec<String> =
        ["select 1; select 2", "select * from product", "copy people.plans to stdout"]
            .iter()
            .map(|sql| format!("$ query '{sql}'\n{}", run(&["query", sql]).stderr))
            .collect();
    insta::assert_snapshot!("query_advice", rejected.join("\n"));

    let customer = sim.account().ids("customer").next().expect("a customer");
    let stored = run(&["refresh", &customer]);
    assert_eq!(stored.code, Some(0));
    insta::assert_snapshot!("refresh", stored.stdout);
    let missing = run(&["refresh", &customer, "cus_missing"]);
    assert_eq!(missing.code, Some(3));
    insta::assert_snapshot!("refresh_missing", missing.stdout);
    let foreign = run(&["refresh", "gold"]);
    assert_eq!((foreign.code, foreign.stdout.as_str()), (Some(2), ""));
    insta::assert_snapshot!("refresh_unknown", foreign.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn json_output_is_one_value_with_stable_keys() {
    let sim = small_sim().await;
    let cli = Cli::with_both(&sim, "programs").await;
    let backfill = cli.run(&[
        "backfill",
        "--object",
        "customer,invoice",
        "--max-rps",
        "none",
        "--output=json",
    ]);
    assert_eq!((backfill.code, backfill.messages()), (Some(0), ""));
    let report = backfill.json();
    assert_eq!(report["status"], "complete");
    assert_eq!(report["quarantined"], 0);
    assert_eq!(report["catch_up"]["status"], "current");
    for (table, object) in [("customers", "customer"), ("invoices", "invoice")] {
        let expected: std::collections::BTreeSet<String> = sim.account().ids(object).collect();
        assert_eq!(report["streams"][table]["status"], "complete");
        assert_eq!(report["streams"][table]["synced"], expected.len());
        assert_eq!(cli.ids("programs", table), expected);
    }
    let keys: Vec<&String> = report.as_object().expect("an object").keys().collect();
    assert_eq!(
        keys,
        [
            "catch_up",
            "elapsed_seconds",
            "older_than_events",
            "quarantined",
            "replaced_characters",
            "requests",
            "run_id",
            "status",
            "streams"
        ]
    );

    let status = cli.run(&["status", "--output", "json"]).json();
    assert_eq!(status["runs"][0]["run_id"], report["run_id"]);
    assert_eq!(status["runs"][0]["streams"]["customers"]["status"], "complete");
    assert_eq!(status["quarantined"]["count"], 0);

    let sql = "select count(*) as number, true as yes, null as nothing from programs.customers";
    let query = cli.run(&["query", sql, "--output", "json"]).json();
    let number = sim.account().count("customer");
    assert_eq!(query, serde_json::json!([{ "number": number, "yes": true, "nothing": null }]));
    // Some statements cannot be nested in another one.
    let show = cli.run(&["query", "show server_encoding", "--output", "json"]).json();
    assert_eq!(show, serde_json::json!([{ "server_encoding": "UTF8" }]));
    let none = cli.run(&["query", "select 1 as x where false", "--output", "json"]).json();
    assert_eq!(none, serde_json::json!([]));

    let customer = sim.account().ids("customer").next().expect("a customer");
    let refresh = cli.run(&["refresh", &customer, "cus_missing", "--output", "json"]);
    assert_eq!(refresh.code, Some(3));
    assert_eq!(
        refresh.json(),
        serde_json::json!({
            "objects": [
                { "id": customer, "table": "customers", "outcome": "stored" },
                { "id": "cus_missing", "table": "customers", "outcome": "not_found" },
            ],
            "inbox": { "fetched": 0, "quarantined": 0, "pending": 0, "dead": 0 },
        })
    );
}

/// A script reads stdout whatever happens.
#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_fails_also_prints_one_json_value() {
    let sim = small_sim().await;
    let cli = Cli::with_both(&sim, "failing").await;
    for (args, code, status, name) in [
        (&["query", "select nonsense"][..], 1, "failed", "database_error"),
        (&["backfill", "--object", "custmer"], 2, "invalid", "usage"),
        (&["backfill", "--objct", "customer"], 2, "invalid", "usage"),
        (
            &["status", "--database-url", "postgres://u:SeCrEt@127.0.0.1:1/x"],
            1,
            "failed",
            "database_unreachable",
        ),
    ] {
        for format in [&["--output", "json"][..], &["--output=json"]] {
            let output = cli.run(&[args, format].concat());
            let value = output.json();
            assert_eq!(output.code, Some(code), "{args:?}: {}", output.stderr);
            assert_eq!((&value["status"], &value["exit_code"]), (&status.into(), &code.into()));
            assert_eq!(value["code"], name, "{value}");
            let error = value["error"].as_str().expect("an error");
            let first = error.lines().next().unwrap_or_default();
            assert!(
                output.stderr.contains(&format!("error: {first}")),
                "{error}: {}",
                output.stderr
            );
            assert!(value["hint"].is_null() || value["hint"].is_string());
            assert!(!output.stdout.contains("SeCrEt"));
        }
    }
    // A result of which a part is already printed stays incomplete.
    let sql = "select 1 / (3000 - n) as x, repeat('x', 100) from generate_series(1, 4000) n";
    let cut = cli.run(&["query", sql, "--output", "json"]);
    assert_eq!(cut.code, Some(1), "{}", cut.stderr);
    assert!(serde_json::from_str::<serde_json::Value>(&cut.stdout).is_err(), "must not look whole");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_line_of_a_backfill_says_what_is_copied_to_where() {
    let sim = small_sim().await;
    let cli = Cli::with_both(&sim, "introduced").await;
    let output = cli.run(&["backfill", "--object", "product"]);
    let (host, database) = {
        let url = crate::support::database_url().await;
        let (_, host) = url.split_once("host=").expect("a socket");
        (host.split('&').next().expect("a host").to_owned(), "stripe")
    };
    let account = sim.account().id();
    let expected = format!(
        "copying account {account} (test mode) to database {database} on {host}, schema introduced"
    );
    assert_eq!(output.stderr.lines().next(), Some(expected.as_str()));
}

#[tokio::test(flavor = "multi_thread")]
async fn suggested_commands_work_as_printed() {
    let sim = small_sim().await;
    let cli = Cli::with_sim(&sim).env("DATABASE_URL", &crate::support::database_url().await);
    let options = ["--schema", "it's \"Mine\"", "--table-prefix", "My"];
    let args = ["backfill", "--object", "customer", "--max-rps", "none"];
    let output = cli.run(&[&args[..], &options].concat());
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let (_, suggested) = output.stdout.split_once("run: stripe-sync ").expect("a hint");
    assert!(!suggested.contains('*'), "{suggested}");
    let shell = |line: &str| {
        let mut shell = std::process::Command::new("/bin/sh");
        let line = format!("\"$0\" {line}");
        shell.args(["-c", &line]).arg(env!("CARGO_BIN_EXE_stripe-sync"));
        shell.env_clear().current_dir(cli.home());
        let like = cli.command(&[]);
        shell.envs(like.get_envs().filter_map(|(name, value)| Some((name, value?))));
        CommandOutput::from(shell.output().expect("a shell"))
    };
    let rows = shell(suggested);
    assert_eq!((rows.code, rows.stdout.lines().count()), (Some(0), 4), "{}", rows.stderr);
    // Nothing is suggested for an empty table.
    let range = ["--since", "2001-01-01", "--until", "2001-01-02"];
    let empty = cli.run(&[&args[..], &options, &range].concat());
    assert_eq!(empty.code, Some(0), "{}", empty.stderr);
    assert!(!empty.stdout.contains("hint:"), "{}", empty.stdout);

    let status = cli.run(&["status", "--schema", "nothing here"]);
    let (_, suggested) = status.stdout.split_once("run: stripe-sync ").expect("a hint");
    assert_eq!(suggested, "backfill --schema 'nothing here'\n");
    let checked = cli.run(&["check", "--object", "product", "--schema", "nothing here"]);
    let expected = "run `stripe-sync backfill --object product --schema 'nothing here'`";
    assert!(checked.stdout.contains(expected), "{}", checked.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_refusals_are_grouped_and_come_last() {
    let account = Account::builder(7).small().build().expect("an account");
    let keys = vec![ApiKey::new("rk_test_SeCrEtSeCrEt").deny(["charge"])];
    let sim = Sim::start(account, SimOptions { keys, ..SimOptions::default() }).await.expect("sim");
    let cli = Cli::with_both(&sim, "grouped").await;
    let args = ["backfill", "--object", "charge,customer,topup", "--since=2001-01-01"];
    let output = cli.run(&args);
    assert_eq!(output.code, Some(3), "{}", output.stderr);
    let position =
        |text: &str| output.stdout.find(text).unwrap_or_else(|| panic!("{}", output.stdout));
    assert!(position("Stripe's lists never include") < position("charges denied: "));
    assert!(position("charges denied: ") < position("incomplete: "));
}

#[tokio::test(flavor = "multi_thread")]
async fn verbose_output_shows_each_request_without_values() {
    let sim = small_sim().await;
    let cli = Cli::with_both(&sim, "verbose").await;
    let id = sim.account().ids("customer").next().expect("a customer");
    let before = sim.requests_to("/v1/account");
    let output = cli.run(&["refresh", &id, "-v", "--color", "never"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let requests: Vec<&str> =
        output.stderr.lines().filter(|line| line.starts_with("info: GET ")).collect();
    let has = |path: &str| {
        requests.iter().any(|line| {
            let rest = line.strip_prefix(&format!("info: GET {path}: 200 in ")).unwrap_or_default();
            rest.contains(" ms (request req_")
        })
    };
    assert!(has("/v1/account") && has("/v1/customers/{id}"), "{}", output.stderr);
    assert!(!output.stderr.contains(&id), "{}", output.stderr);
    // The identity of the account is requested once per command.
    assert_eq!(sim.requests_to("/v1/account"), before + 1);
    assert!(!cli.run(&["refresh", &id]).stderr.contains("GET"), "only with -v");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_message_of_a_complete_stream_is_a_note() {
    let sim = small_sim().await;
    let cli = Cli::with_both(&sim, "noted").await;
    for day in ["2020-01-01", "2020-01-02"] {
        let args = ["backfill", "--since", day, "--until", "2020-02-01", "--max-rps", "none"];
        cli.run(&[args.as_slice(), &["--output", "json", "-q"]].concat());
    }
    let status = cli.run(&["status", "--output", "json"]).json();
    let methods = &status["runs"][0]["streams"]["payment_methods"];
    assert_eq!((&methods["status"], &methods["error"]), (&"complete".into(), &().into()));
    let note = methods["note"].as_str().expect("when it was read");
    assert!(note.starts_with("read completely at "), "{note}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denied_stream_is_named_and_can_be_accepted() {
    let _snapshots = stable_snapshots();
    let account = Account::builder(7).small().build().expect("an account");
    let keys = vec![ApiKey::new("rk_test_SeCrEtSeCrEt").deny(["charge"])];
    let sim = Sim::start(account, SimOptions { keys, ..SimOptions::default() }).await.expect("sim");
    let cli = Cli::with_both(&sim, "denied").await;
    let args = ["backfill", "--object", "charge,customer", "--max-rps", "none"];
    let output = cli.run(&args);
    assert_eq!(output.code, Some(3), "{}", output.stderr);
    insta::assert_snapshot!("denied", output.stdout);
    let accepted = cli.run(&[args.as_slice(), &["--skip-denied", "--output", "json"]].concat());
    assert_eq!(accepted.code, Some(0));
    let report = accepted.json();
    assert_eq!(report["status"], "incomplete");
    assert_eq!(report["streams"]["charges"]["status"], "denied");
    assert!(report["streams"]["charges"]["request_id"].is_string());
    // A run in which every stream is denied is not accepted.
    let args = ["backfill", "--object", "charge", "--max-rps", "none", "--skip-denied"];
    let nothing = cli.run(&args);
    assert_eq!(nothing.code, Some(3), "{}", nothing.stderr);
    assert!(nothing.stdout.contains("permissions named above and run"), "{}", nothing.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_printed_at_any_verbosity() {
    let account = Account::builder(7).small().build().expect("an account");
    let keys = vec![ApiKey::new("sk_test_SeCrEtSeCrEt")];
    let options = SimOptions { keys, fault_rate: 0.05, ..SimOptions::default() };
    let sim = Sim::start(account, options).await.expect("sim");
    let cli = Cli::with_both(&sim, "loud").await;
    let output = cli.run(&["backfill", "-vv", "--max-rps", "none", "--color", "always"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    for text in [&output.stdout, &output.stderr] {
        assert!(!text.contains("SeCrEt"));
    }
    assert!(output.stdout.contains("\u{1b}["), "colors were requested");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_pipe_is_not_an_error_and_a_statement_can_be_read_from_stdin() {
    use std::io::Write as _;
    use std::process::{Command, Stdio};
    let sim = small_sim().await;
    let cli = Cli::with_both(&sim, "readers").await;
    let mut child = cli.start(&["query", "select * from generate_series(1, 100000)"]);
    drop(child.stdout.take());
    assert_eq!(child.wait().expect("an end").code(), Some(0));

    let mut command = Command::new(env!("CARGO_BIN_EXE_stripe-sync"));
    command.args(["query", "-", "-q"]).env("DATABASE_URL", crate::support::database_url().await);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("the binary");
    child.stdin.take().expect("stdin").write_all(b"select 1 as one;\n").expect("written");
    let output = child.wait_with_output().expect("an end");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "one\n  1\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_finds_every_table_identical() {
    let cli = Cli::new();
    let output = cli.run(&["demo", "-q", "--output", "json"]);
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""));
    let report = output.json();
    assert_eq!(report["identical"], true);
    assert_eq!(report["tables"].as_object().map(serde_json::Map::len), Some(78));
    assert!(report["tables"]["invoice_line_items"]["in_postgres"].as_u64() > Some(3_600));
    assert!(std::fs::read_dir(cli.home()).expect("home").next().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_range_is_not_called_an_empty_stream() {
    let sim = small_sim().await;
    let cli = Cli::with_both(&sim, "ranges").await;
    let backfill = ["backfill", "--object", "customer,climate.order", "--until", "2012-01-01"];
    let text = cli.run(&backfill).stdout;
    assert!(text.contains("customers has no objects in this range\n"), "{text}");
    // What the list never shows is named although nothing was found.
    let hidden = "customers: deleted customers; customers of test clocks (test mode)";
    assert!(text.contains(hidden), "{text}");
    let report = cli.run(&[&backfill[..], &["--output", "json"]].concat()).json();
    let hidden = serde_json::json!(["deleted customers", "customers of test clocks (test mode)"]);
    assert_eq!(report["streams"]["customers"]["not_shown"], hidden);
    assert!(report["streams"]["climate_orders"].get("not_shown").is_none());
}
