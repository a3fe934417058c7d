//! `cargo xtask signatures`: checks that signatures made by Stripe's official Python and Node
//! libraries verify.
//!
//! Installs both libraries into a temporary directory, which needs python3, npm and a network.
//! Neither is a dependency of the project.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::cargo::Cargo;

/// The environment variable that names the file with the signatures.
const FILE: &str = "STRIPE_SIGNATURES";

/// Signs a body with two secrets, and prints the header. The body has a character outside ASCII.
const PYTHON: &str = r#"
import json, sys, time
from stripe import WebhookSignature
body, out = '{\n  "id": "evt_1",\n  "name": "\u00e9"\n}', []
for secret in ["whsec_python", "whsec_" + "a" * 64]:
    t = int(time.time())
    v1 = WebhookSignature._compute_signature("%d.%s" % (t, body), secret)
    out.append({"body": body, "header": "t=%d,v1=%s" % (t, v1), "secret": secret})
print(json.dumps(out))
"#;

const NODE: &str = r#"
const stripeModule = require("stripe");
const Stripe = stripeModule.default || stripeModule;
const stripe = new Stripe("sk_test_123");
const body = '{\n  "id": "evt_1",\n  "name": "\u00e9"\n}';
const out = ["whsec_node", "whsec_" + "b".repeat(64)].map((secret) => ({
  body, secret, header: stripe.webhooks.generateTestHeaderString({ payload: body, secret }),
}));
console.log(JSON.stringify(out));
"#;

/// Collects signatures, then runs the test of the engine that reads them.
///
/// # Errors
/// A program is missing, a library cannot be installed, or it does not sign.
pub(crate) fn check() -> Result<()> {
    let dir = std::env::temp_dir().join(format!("stripe-signatures-{}", std::process::id()));
    std::fs::create_dir_all(&dir)?;
    let path = |name: &str| dir.join(name).display().to_string();
    eprintln!("xtask: installing the package stripe with pip and with npm into {}", dir.display());
    run(&dir, "python3", &["-m", "venv", "venv"])?;
    let python = path("venv/bin/python");
    run(&dir, &python, &["-m", "pip", "install", "--quiet", "stripe"])?;
    run(&dir, "npm", &["install", "--silent", "--no-audit", "--no-fund", "stripe"])?;
    let signed = [run(&dir, &python, &["-c", PYTHON])?, run(&dir, "node", &["-e", NODE])?];
    let signed: Vec<&str> = signed.iter().map(|text| text.trim()).collect();
    std::fs::write(path("signatures.json"), format!("[{}]", signed.join(",")))?;
    Cargo {
        description: "running the test that reads the signatures",
        fixed: &["test", "--quiet", "--package", "stripe-sync", "--lib"],
        args: ["signatures_of_stripes_libraries_verify", "--", "--ignored", "--nocapture"]
            .map(str::to_owned)
            .into(),
        environment: vec![(FILE, path("signatures.json"))],
    }
    .replace_process()
}

/// Runs a program in a directory, and returns what it prints.
fn run(dir: &Path, program: &str, args: &[&str]) -> Result<String> {
    let output = Command::new(program).args(args).current_dir(dir).output();
    let output = output.with_context(|| format!("cannot run {program}"))?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{program} failed: {errors}");
    String::from_utf8(output.stdout).with_context(|| format!("{program} did not print UTF-8"))
}
