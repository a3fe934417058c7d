//! `--env-file`: variables from a file.

use crate::support::{Cli, database_url, small_sim};

const SECRET: &str = "SeCrEtSeCrEt";

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_read_from_a_file_unless_the_environment_has_them() {
    let sim = small_sim().await;
    let cli = Cli::new();
    let content = format!(
        "# a copy\nexport DATABASE_URL=\"{}\"\nSTRIPE_SECRET_KEY='{}'\nSTRIPE_API_BASE={}\nSCHEMA=from_file\n\
         TZ=UTC\n",
        database_url().await,
        sim.key(),
        sim.base_url()
    );
    std::fs::write(cli.home().join("settings"), content).expect("written");
    let args = ["backfill", "--object", "coupon", "--env-file", "settings"];
    let schema = |output: crate::support::CommandOutput| {
        assert_eq!(output.code, Some(0), "{}", output.stderr);
        let first = output.stderr.lines().next().expect("a line").to_owned();
        first.rsplit_once(", schema ").expect("a schema").1.to_owned()
    };
    assert_eq!(schema(cli.run(&args)), "from_file");
    let cli = cli.env("SCHEMA", "from_environment");
    assert_eq!(schema(cli.run(&args)), "from_environment");
    assert_eq!(schema(cli.run(&[&args[..], &["--schema", "from_option"]].concat())), "from_option");
    // Suggested commands name the file, too.
    let output = cli.run(&[&args[..], &["-q"]].concat());
    assert!(output.stdout.contains(" --env-file settings\n"), "{}", output.stdout);
    // An empty variable counts as unset.
    let cli = cli.env("SCHEMA", "");
    assert_eq!(schema(cli.run(&args)), "from_file");
}

#[test]
fn an_unusable_file_is_an_error_that_does_not_show_its_content() {
    let cli = Cli::new();
    let run = |bytes: &[u8]| {
        std::fs::write(cli.home().join("settings"), bytes).expect("written");
        let output = cli.run(&["status", "--env-file", "settings"]);
        assert!(!output.stderr.contains(SECRET), "{}", output.stderr);
        (output.code, output.stderr)
    };
    let form = "each line of the file must have the form KEY=value";
    for (content, message) in [
        (format!("\nsk_live_{SECRET}\n").into_bytes(), "line 2 of settings has no ="),
        (format!("A B {SECRET}=x").into_bytes(), "line 1 of settings does not begin with the name"),
        (format!("A='{SECRET}\n'").into_bytes(), "line 1 of settings has a quote without an end"),
        (format!("A='{SECRET}'b").into_bytes(), "line 1 of settings has text after its closing"),
        (vec![b'#'; (1 << 20) + 1], "settings is larger than 1,048,576 bytes"),
    ] {
        let (code, stderr) = run(&content);
        assert_eq!(code, Some(2), "{stderr}");
        assert!(stderr.starts_with(&format!("error: --env-file: {message}")), "{stderr}");
        assert!(stderr.contains(form), "{stderr}");
    }
    let (code, stderr) = run(b"A=\xff");
    assert_eq!((code, stderr.as_str()), (Some(2), "error: --env-file: settings is not UTF-8\n"));
    // A value that a setting rejects is reported with the name of its variable.
    let (code, stderr) =
        run(format!("STRIPE_API_BASE=x\nMAX_POSTGRES_CONNECTIONS={SECRET}").as_bytes());
    assert_eq!(code, Some(2), "{stderr}");
    assert!(stderr.contains("MAX_POSTGRES_CONNECTIONS must be a number"), "{stderr}");
    let output = cli.run(&["status", "--env-file", "missing"]);
    assert_eq!(output.code, Some(2), "{}", output.stderr);
    assert!(
        output.stderr.starts_with("error: --env-file: cannot read missing: "),
        "{}",
        output.stderr
    );
}
