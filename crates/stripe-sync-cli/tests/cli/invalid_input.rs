//! Help, and invalid input: the command prints one clear message without a secret, exits with code
//! 2, and starts nothing.

use stripe_sim::Fault;

use crate::support::{Cli, small_sim};

const SECRET: &str = "SeCrEtSeCrEt";

#[test]
fn help_describes_every_command_and_contains_no_values() {
    for command in [
        "",
        "migrate",
        "check",
        "backfill",
        "refresh",
        "follow",
        "status",
        "query",
        "demo",
        "completions",
        "man-pages",
        "webhook",
        "webhook create",
    ] {
        let args = command.split(' ').chain(["--help"]);
        let args: Vec<&str> = args.filter(|a| !a.is_empty()).collect();
        // Values from the environment must not be shown.
        let output = Cli::new().env("DATABASE_URL", SECRET).env("SCHEMA", SECRET).run(&args);
        assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""));
        assert!(!output.stdout.contains(SECRET));
        let name = if command.is_empty() {
            "help".into()
        } else {
            format!("help_{}", command.replace(' ', "_"))
        };
        insta::assert_snapshot!(name, output.stdout);
    }
}

/// Runs each line, `VARIABLE=value.. arguments..`, split at spaces, and returns the transcript.
/// `<blank>` and `<newline>` are replaced inside a word. No line may send a request or leave a
/// file.
pub(crate) async fn transcript(lines: &[&str]) -> String {
    let sim = small_sim().await;
    let mut transcript = String::new();
    for line in lines {
        let line = line.replace("<secret>", SECRET);
        let is_variable = |word: &&str| {
            word.split_once('=')
                .is_some_and(|(n, _)| n.chars().all(|c| c == '_' || c.is_ascii_uppercase()))
        };
        let unescaped = |word: &str| word.replace("<blank>", " ").replace("<newline>", "\n");
        let variables: Vec<String> =
            line.split(' ').take_while(is_variable).map(unescaped).collect();
        let args: Vec<String> = line.split(' ').skip(variables.len()).map(unescaped).collect();
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let mut cli = Cli::new().env("STRIPE_API_BASE", &sim.base_url());
        for variable in &variables {
            let (name, value) = variable.split_once('=').expect("a variable");
            cli = cli.env(name, value);
        }
        let output = cli.run(&args);
        for text in [&output.stdout, &output.stderr] {
            assert!(!text.contains(SECRET), "{line}: {text}");
        }
        assert_eq!(output.stdout, "", "{line}");
        let left: Vec<_> = std::fs::read_dir(cli.home()).expect("home").collect();
        assert!(left.is_empty(), "{line}: {left:?}");
        let line = line.replace(SECRET, "<secret>");
        transcript.push_str(&format!(
            "$ {line}\n{}exit {}\n\n",
            output.stderr,
            output.code.expect("a code")
        ));
    }
    assert_eq!(sim.requests(), 0, "a request was sent");
    transcript
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invalid_key_is_rejected_before_any_request() {
    insta::assert_snapshot!(
        transcript(&[
            "backfill",
            "STRIPE_SECRET_KEY= backfill",
            "refresh cus_1",
            "STRIPE_SECRET_KEY=pk_live_<secret> backfill",
            "STRIPE_API_KEY=whsec_<secret> backfill",
            "STRIPE_SECRET_KEY=sk_live_ backfill",
            "STRIPE_SECRET_KEY=\"sk_live_<secret>\" backfill",
            "STRIPE_SECRET_KEY=<secret> backfill",
            "STRIPE_SECRET_KEY='sk_live_<secret>' backfill",
            "STRIPE_SECRET_KEY=sk_live_<secret><blank><secret> backfill",
            "STRIPE_SECRET_KEY=sk_live_<secret><newline><secret> backfill",
            "STRIPE_SECRET_KEY=sk_live_<secret>... backfill",
            "STRIPE_SECRET_KEY=<blank> backfill",
            "STRIPE_SECRET_KEY=sk_org_live_<secret> backfill",
            "STRIPE_SECRET_KEY=STRIPE_SECRET_KEY=sk_live_<secret> backfill",
            "STRIPE_SECRET_KEY=sk_test_<secret> STRIPE_API_KEY=sk_test_other backfill",
            "STRIPE_SECRET_KEY= STRIPE_API_KEY=pk_test_<secret> refresh cus_1",
            "backfill sk_live_<secret>",
            "backfill --key sk_live_<secret>",
        ])
        .await
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_options_are_rejected_before_any_request() {
    const KEY: &str = "STRIPE_SECRET_KEY=sk_test_<secret>";
    let with_key = |rest: &str| format!("{KEY} {rest}");
    let lines: Vec<String> = [
        "backfill --object unicorn",
        "backfill --object custmer",
        "backfill --object customer,invioce",
        "backfill --since yesterday",
        "backfill --since 2024-02-30",
        "backfill --since 2024-02-01 --until 2024-01-01",
        "backfill --until 1704067200000000",
        "backfill --since 2024-13-01",
        "backfill --since 2023-02-29",
        "backfill --since 2024-01-01T25:00:00Z",
        "backfill --since 30x",
        "backfill --since 99999999999999999999",
        "backfill --since=",
        "backfill --since 30d --until 60d",
        "backfill --since 2024",
        "backfill --until 20240131",
        "backfill --since 1704067200000",
        "backfill --created-gt 1704067200000",
        "backfill --created-lt -5",
        "backfill --created-gt tomorrow",
        "backfill --created-gte 5 --created-lt 5",
        "backfill --api-base http://example.com",
        "backfill --api-base https://user:<secret>@example.com",
        "backfill --api-base https://api.stripe.com/v1",
        "backfill --api-base localhost:12111",
        "backfill --api-base ftp://api.stripe.com",
        "STRIPE_API_BASE=http://192.168.0.1:12111 backfill",
        "backfill --max-rps 0",
        "backfill --max-rps -1",
        "backfill --max-rps fast",
        "backfill --max-rps nan",
        "backfill --max-rps 1e-300",
        "STRIPE_ACCOUNT_ID=acct_ backfill",
        "backfill --object=",
        "refresh gold",
        "refresh products/",
        "refresh <blank>",
        "backfill --account <secret>",
        "backfill --api-version today",
        "backfill --api-version ..........",
        "backfill --api-version 2026-07-29dahlia",
        "backfill --output yaml",
    ]
    .map(with_key)
    .into();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    insta::assert_snapshot!(transcript(&lines).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unusable_data_directory_is_rejected_and_left_unchanged() {
    let cli = Cli::new();
    let photos = cli.home().join("photos");
    std::fs::create_dir(&photos).expect("a directory");
    std::fs::write(photos.join("cat.jpeg"), "").expect("a file");
    let mut transcript = String::new();
    let long = "d".repeat(256);
    std::os::unix::fs::symlink("nowhere", cli.home().join("dangling")).expect("a link");
    for dir in [
        "photos",
        "photos/cat.jpeg",
        "photos/cat.jpeg/below",
        "dangling",
        &long,
        "/dev/null",
        "/proc/x",
    ] {
        let output = cli.run(&["migrate", "--data-dir", dir]);
        assert_eq!(output.stdout, "");
        let shown = if dir.len() > 100 { "d..." } else { dir };
        transcript.push_str(&format!("$ migrate --data-dir {shown}\n{}", output.stderr));
        transcript.push_str(&format!("exit {}\n\n", output.code.expect("a code")));
    }
    insta::assert_snapshot!(transcript);
    assert_eq!(std::fs::read_dir(&photos).expect("photos").count(), 1);
    assert_eq!(std::fs::read_dir(cli.home()).expect("home").count(), 2);
    // Files left by a killed start and a space in the name are accepted.
    let unfinished = cli.home().join("a directory/nested");
    std::fs::create_dir_all(&unfinished).expect("a directory");
    std::fs::write(unfinished.join("start.lock"), "").expect("a file");
    let output = cli.run(&["migrate", "--data-dir", "a directory/nested"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_database_settings_are_rejected_before_any_request() {
    insta::assert_snapshot!(
        transcript(&[
            "SCHEMA=pg_stripe migrate",
            "migrate --schema=",
            "migrate --schema s234567890123456789012345678901234567890123456789012345678901234",
            "migrate --table-prefix p234567890123456789012345678901",
            "migrate --schema information_schema",
            "migrate --schema <blank>stripe",
            "migrate --schema str<newline>ipe",
            "migrate --table-prefix pre<newline>fix",
            "DATABASE_URL=mysql://u:<secret>@db/x migrate",
            "DATABASE_URL=\"postgres://u:<secret>@db/x\" migrate",
            "DATABASE_URL=postgres://u:pass@<secret>@db/x migrate",
            "DATABASE_URL=postgres://u:pass/<secret>@db/x migrate",
            "DATABASE_URL=postgres://u:<secret>@db:port/x migrate",
            "DATABASE_URL=postgres://u:<secret>@db:0/x migrate",
            "DATABASE_URL=postgres:///x migrate",
            "DATABASE_URL=postgres://u:<secret>@:5432/x migrate",
            "DATABASE_URL=postgres://u:<secret>@db/x?sslmode=sometimes migrate",
            "DATABASE_URL=postgres://u:<secret>@db/x?sslcert=client.pem&connection_limit=1 migrate",
            "DATABASE_URL=<secret> migrate",
            "STRIPE_SECRET_KEY=sk_test_<secret> DATABASE_URL=postgres://u:<secret>@db:port/x backfill",
            "migrate --database-url u:<secret>@db/x",
            "migrate postgres://u:<secret>@db/x",
            "migrate --data-dir=",
            "migrate --data-dir <blank>",
            "migrate --data-dir <newline>",
            "STRIPE_SYNC_DATA=/tmp/x<newline> migrate",
            "migrate --data-dir=~/copy",
            "HOME= migrate",
            "migrate --max-connections 0",
            "MAX_POSTGRES_CONNECTIONS=many migrate",
            "query",
            "query ;",
            "status --runs 0",
            "demo --keep /usr",
            "demo --schema other",
            "demo --database-url postgres://u:<secret>@db/x",
            "demo --max-rps 5",
            "migrate --data-dir /etc/passwd",
            "migrate --data-dir /etc/passwd/below",
            "unicorn",
            "-q -v migrate",
        ])
        .await
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_stripe_rejects_changes_nothing() {
    let sim = small_sim().await;
    let cli = Cli::with_sim(&sim).env("STRIPE_SECRET_KEY", "sk_test_SeCrEtSeCrEt");
    let output = cli.run(&["backfill"]);
    assert_eq!((output.code, output.stdout.as_str()), (Some(1), ""));
    insta::assert_snapshot!(output.stderr);
    assert_eq!(std::fs::read_dir(cli.home()).expect("home").count(), 0);
    assert_eq!(sim.requests(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreachable_database_is_reported_without_its_password() {
    let sim = small_sim().await;
    let url = format!("postgres://u:{SECRET}@127.0.0.1:1/x");
    let output = Cli::with_sim(&sim).run(&["backfill", "--database-url", &url]);
    assert_eq!(output.code, Some(1));
    assert!(!output.stderr.contains(SECRET));
    insta::assert_snapshot!(output.stderr);
}

#[test]
fn values_that_are_not_utf8_are_rejected() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    let invalid = OsStr::from_bytes(b"sk_live_\xffSeCrEt");
    for (variable, args) in [
        ("STRIPE_SECRET_KEY", &["backfill"][..]),
        ("DATABASE_URL", &["migrate"]),
        ("SCHEMA", &["migrate"]),
        ("STRIPE_SYNC_DATA", &["status"]),
    ] {
        let cli = Cli::new();
        let mut command = cli.command(args);
        let output = command.env(variable, invalid).output().expect("the binary");
        let stderr = String::from_utf8(output.stderr).expect("UTF-8");
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{stderr}");
        assert_eq!(stderr, format!("error: {variable} is not UTF-8\n"));
    }
    for args in [vec!["backfill", "--object"], vec!["backfill", "--schema"], vec!["query"], vec![]]
    {
        let cli = Cli::new();
        let output = cli.command(&args).arg(invalid).output().expect("the binary");
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {stderr}");
        assert!(!stderr.contains("SeCrEt"), "{stderr}");
        assert_eq!(std::fs::read_dir(cli.home()).expect("home").count(), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn closed_streams_a_full_disk_and_an_unknown_terminal_are_handled() {
    let sim = small_sim().await;
    let cli = Cli::with_both(&sim, "streams").await.env("TERM", "no-such-terminal");
    let shell = |line: &str| {
        let mut command = std::process::Command::new("/bin/sh");
        command.args(["-c", line]).arg(env!("CARGO_BIN_EXE_stripe-sync"));
        command.env_clear().current_dir(cli.home());
        let like = cli.command(&[]);
        command.envs(like.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let output = command.output().expect("a shell");
        (output.status.code(), String::from_utf8(output.stderr).expect("UTF-8"))
    };
    assert_eq!(
        shell("exec \"$0\" backfill -q --object customer <&- >&-"),
        (Some(0), String::new())
    );
    assert_eq!(shell("exec \"$0\" status <&- >&- 2>&-"), (Some(0), String::new()));
    let (code, transcript) = shell("exec \"$0\" query - <&-");
    assert_eq!(code, Some(2), "{transcript}");
    assert!(transcript.starts_with("error: the statement is empty\n  hint: "), "{transcript}");
    let (code, transcript) = shell("\"$0\" status > /dev/full");
    assert_eq!(code, Some(1), "{transcript}");
    assert!(transcript.starts_with("error: cannot write to stdout: "), "{transcript}");
    assert_eq!(shell("\"$0\" status | head -0"), (Some(0), String::new()));
}

/// The server that answers is not Stripe.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_other_than_stripe_is_reported() {
    let _snapshots = crate::support::stable_snapshots();
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"after \d+ requests", "after [n] requests");
    let _more = settings.bind_to_scope();
    let mut transcript = String::new();
    for fault in [Fault::Html(200), Fault::Status(302)] {
        let sim = small_sim().await;
        sim.fail_times("/v1/account", 1, 8, fault.clone());
        let cli = Cli::with_sim(&sim);
        let output = cli.run(&["backfill"]);
        assert_eq!((output.code, output.stdout.as_str()), (Some(1), ""), "{fault:?}");
        assert_eq!(std::fs::read_dir(cli.home()).expect("home").count(), 0, "{fault:?}");
        // The number of log lines depends on the length of the pauses.
        let lines: Vec<&str> =
            output.stderr.lines().filter(|l| !l.starts_with("warning: ")).collect();
        transcript.push_str(&format!("# {fault:?}\n{}\n\n", lines.join("\n")));
    }
    insta::assert_snapshot!(transcript);
}
