//! Help, and everything that is wrong before anything is touched: one clear message, exit code 2,
//! no secret in it, nothing started.

use crate::support::{Cli, small_sim};

const SECRET: &str = "SeCrEtSeCrEt";

#[test]
fn help() {
    for command in ["", "migrate", "check", "backfill", "refresh", "status", "query", "demo"] {
        let args: Vec<&str> = [command, "--help"].into_iter().filter(|a| !a.is_empty()).collect();
        // A value in the environment is not shown.
        let ran = Cli::new().env("DATABASE_URL", SECRET).env("SCHEMA", SECRET).run(&args);
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
        assert!(!ran.stdout.contains(SECRET));
        let name = if command.is_empty() { "help".into() } else { format!("help_{command}") };
        insta::assert_snapshot!(name, ran.stdout);
    }
}

/// Runs each line of `VARIABLE=value.. arguments..`, split at blanks, and tells what came of it.
pub(crate) async fn told(lines: &[&str]) -> String {
    let sim = small_sim().await;
    let mut told = String::new();
    for line in lines {
        let line = line.replace("<secret>", SECRET);
        let is_variable = |word: &&str| {
            word.split_once('=')
                .is_some_and(|(n, _)| n.chars().all(|c| c == '_' || c.is_ascii_uppercase()))
        };
        let variables: Vec<&str> = line.split(' ').take_while(is_variable).collect();
        let args: Vec<&str> = line.split(' ').skip(variables.len()).collect();
        let mut cli = Cli::new().env("STRIPE_API_BASE", &sim.base_url());
        for variable in &variables {
            let (name, value) = variable.split_once('=').expect("a variable");
            cli = cli.env(name, value);
        }
        let ran = cli.run(&args);
        for text in [&ran.stdout, &ran.stderr] {
            assert!(!text.contains(SECRET), "{line}: {text}");
        }
        assert_eq!(ran.stdout, "", "{line}");
        let left: Vec<_> = std::fs::read_dir(cli.home()).expect("home").collect();
        assert!(left.is_empty(), "{line}: {left:?}");
        let line = line.replace(SECRET, "<secret>");
        told.push_str(&format!("$ {line}\n{}exit {}\n\n", ran.stderr, ran.code.expect("a code")));
    }
    assert_eq!(sim.requests(), 0, "Stripe was asked");
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn keys() {
    insta::assert_snapshot!(
        told(&[
            "backfill",
            "STRIPE_SECRET_KEY= backfill",
            "refresh cus_1",
            "STRIPE_SECRET_KEY=pk_live_<secret> backfill",
            "STRIPE_API_KEY=whsec_<secret> backfill",
            "STRIPE_SECRET_KEY=sk_live_ backfill",
            "STRIPE_SECRET_KEY=\"sk_live_<secret>\" backfill",
            "STRIPE_SECRET_KEY=<secret> backfill",
            "STRIPE_SECRET_KEY=sk_test_<secret> STRIPE_API_KEY=sk_test_other backfill",
            "backfill sk_live_<secret>",
            "backfill --key sk_live_<secret>",
        ])
        .await
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn options() {
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
        "backfill --created-gt tomorrow",
        "backfill --created-gte 5 --created-lt 5",
        "backfill --api-base http://example.com",
        "backfill --api-base https://user:<secret>@example.com",
        "backfill --max-rps 0",
        "backfill --max-rps -1",
        "backfill --max-rps fast",
        "backfill --account <secret>",
        "backfill --api-version today",
        "backfill --output yaml",
    ]
    .map(with_key)
    .into();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    insta::assert_snapshot!(told(&lines).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn databases() {
    insta::assert_snapshot!(
        told(&[
            "SCHEMA=pg_stripe migrate",
            "migrate --schema=",
            "migrate --schema s234567890123456789012345678901234567890123456789012345678901234",
            "migrate --table-prefix p234567890123456789012345678901",
            "DATABASE_URL=mysql://u:<secret>@db/x migrate",
            "migrate --database-url u:<secret>@db/x",
            "migrate postgres://u:<secret>@db/x",
            "migrate --data-dir=",
            "HOME= migrate",
            "migrate --max-connections 0",
            "MAX_POSTGRES_CONNECTIONS=many migrate",
            "query",
            "query ;",
            "status --runs 0",
            "demo --keep /usr",
            "unicorn",
            "-q -v migrate",
        ])
        .await
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_stripe_does_not_know_leaves_no_trace() {
    let sim = small_sim().await;
    let cli = Cli::with_sim(&sim).env("STRIPE_SECRET_KEY", "sk_test_SeCrEtSeCrEt");
    let ran = cli.run(&["backfill"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""));
    insta::assert_snapshot!(ran.stderr);
    assert_eq!(std::fs::read_dir(cli.home()).expect("home").count(), 0);
    assert_eq!(sim.requests(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreachable_database() {
    let sim = small_sim().await;
    let url = format!("postgres://u:{SECRET}@127.0.0.1:1/x");
    let ran = Cli::with_sim(&sim).run(&["backfill", "--database-url", &url]);
    assert_eq!(ran.code, Some(1));
    assert!(!ran.stderr.contains(SECRET));
    insta::assert_snapshot!(ran.stderr);
}
