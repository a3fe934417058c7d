//! `STRIPE_SECRET_KEY_FILE`: the key in a file, such as a mounted secret.

use crate::support::{Cli, CommandOutput, database_url, small_sim};

const SECRET: &str = "SeCrEtSeCrEt";

/// Runs `refresh` with the bytes as the key file.
fn refresh_with(bytes: &[u8]) -> CommandOutput {
    let cli =
        Cli::new().env("STRIPE_SECRET_KEY_FILE", "key").env("STRIPE_API_BASE", "http://[::1]:9");
    std::fs::write(cli.home().join("key"), bytes).expect("written");
    let output = cli.run(&["refresh", "cus_1"]);
    assert!(!output.stderr.contains(SECRET), "{}", output.stderr);
    output
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_in_a_file_is_used_without_surrounding_whitespace() {
    let sim = small_sim().await;
    for (content, variable) in [
        (format!("{}\n", sim.key()), None),
        (format!("  {}\r\n\n", sim.key()), None),
        // The same key in both places is accepted.
        (format!("{}\n", sim.key()), Some(sim.key())),
    ] {
        let mut cli = Cli::new()
            .env("DATABASE_URL", &database_url().await)
            .env("SCHEMA", "key_file")
            .env("STRIPE_API_BASE", &sim.base_url())
            .env("STRIPE_SECRET_KEY_FILE", "key");
        if let Some(key) = variable {
            cli = cli.env("STRIPE_SECRET_KEY", key);
        }
        std::fs::write(cli.home().join("key"), content).expect("written");
        let output = cli.run(&["backfill", "--object", "coupon"]);
        assert_eq!(output.code, Some(0), "{}", output.stderr);
    }
}

#[test]
fn an_unusable_key_file_is_an_error_that_does_not_show_its_content() {
    for (content, message) in [
        (b"".to_vec(), "STRIPE_SECRET_KEY_FILE: key is empty"),
        (b" \n".to_vec(), "STRIPE_SECRET_KEY_FILE: key is empty"),
        (b"\xff\xfe".to_vec(), "STRIPE_SECRET_KEY_FILE: key is not UTF-8"),
        (vec![b'x'; 1 << 20], "STRIPE_SECRET_KEY_FILE: key is larger than 4,096 bytes"),
        (format!("pk_live_{SECRET}").into_bytes(), "STRIPE_SECRET_KEY_FILE: "),
        (format!("KEY=sk_live_{SECRET}").into_bytes(), "STRIPE_SECRET_KEY_FILE: "),
        (format!("sk_live_{SECRET}\nsk_live_{SECRET}").into_bytes(), "STRIPE_SECRET_KEY_FILE: "),
    ] {
        let output = refresh_with(&content);
        assert_eq!((output.code, output.stdout.as_str()), (Some(2), ""), "{message}");
        let expected = format!("error: {message}");
        assert!(output.stderr.starts_with(&expected), "{expected}: {}", output.stderr);
    }
    for (path, message) in [
        ("missing", "STRIPE_SECRET_KEY_FILE: cannot read missing: No such file or directory"),
        (".", "STRIPE_SECRET_KEY_FILE: cannot read .: Is a directory"),
    ] {
        let output = Cli::new().env("STRIPE_SECRET_KEY_FILE", path).run(&["refresh", "cus_1"]);
        assert_eq!(output.code, Some(2));
        assert!(output.stderr.contains(message), "{message}: {}", output.stderr);
    }
}

#[test]
fn a_key_file_and_a_variable_with_different_keys_are_an_error() {
    let cli = Cli::new()
        .env("STRIPE_SECRET_KEY_FILE", "key")
        .env("STRIPE_API_KEY", &format!("sk_test_{SECRET}"));
    std::fs::write(cli.home().join("key"), format!("sk_live_{SECRET}\n")).expect("written");
    let output = cli.run(&["refresh", "cus_1"]);
    assert_eq!(output.code, Some(2));
    assert_eq!(
        output.stderr,
        "error: STRIPE_API_KEY and STRIPE_SECRET_KEY_FILE are both set, to different keys\n  \
         hint: unset one of them\n"
    );
}
