//! The arguments exactly as typed. What they mean together with the environment is for
//! [`crate::settings`] to say.
//!
//! No type here implements `Debug`: a database url may carry a password.

use std::path::PathBuf;

use clap::{ArgAction, Parser, Subcommand, ValueEnum};

const EXIT_CODES: &str = "\
The key comes from the environment only: STRIPE_SECRET_KEY or STRIPE_API_KEY (flags show in ps).
Without a database url, stripe-sync starts a private PostgreSQL of its own.

Exit codes: 0 complete, 1 failed, 2 usage, 3 finished but incomplete, 130 interrupted (what was
committed is safe and the same command goes on).";

/// Copies a Stripe account into PostgreSQL
#[derive(Parser)]
#[command(name = "stripe-sync", version, after_help = EXIT_CODES, max_term_width = 100)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) connection: Connection,
    #[command(flatten)]
    pub(crate) output: Output,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Where to copy from and to. Every option but `--max-rps` has its environment variable.
#[derive(clap::Args)]
pub(crate) struct Connection {
    /// PostgreSQL to copy into, postgres://user@host:5432/database [env: DATABASE_URL]
    #[arg(long, global = true, value_name = "URL", help_heading = "Database")]
    pub(crate) database_url: Option<String>,
    /// Where the private PostgreSQL lives [env: STRIPE_SYNC_DATA] [default:
    /// ~/.local/share/stripe-sync]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Database")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Schema of the tables [env: SCHEMA] [default: stripe]
    #[arg(long, global = true, value_name = "NAME", help_heading = "Database")]
    pub(crate) schema: Option<String>,
    /// Prefix of the tables: `billing` makes billing_customers [env: TABLE_PREFIX]
    #[arg(long, global = true, value_name = "PREFIX", help_heading = "Database")]
    pub(crate) table_prefix: Option<String>,
    /// Connections to the database at once [env: MAX_POSTGRES_CONNECTIONS] [default: 5]
    #[arg(long, global = true, value_name = "N", help_heading = "Database")]
    pub(crate) max_connections: Option<String>,
    /// The account, where the key may not tell it: acct_... [env: STRIPE_ACCOUNT_ID]
    #[arg(long, global = true, value_name = "ID", help_heading = "Stripe")]
    pub(crate) account: Option<String>,
    /// Another address of the API than Stripe's own [env: STRIPE_API_BASE]
    #[arg(long, global = true, value_name = "URL", help_heading = "Stripe")]
    pub(crate) api_base: Option<String>,
    /// Another API version than the tables' own [env: STRIPE_API_VERSION]
    #[arg(long, global = true, value_name = "VERSION", help_heading = "Stripe")]
    pub(crate) api_version: Option<String>,
    /// Requests per second, or `none` to slow down only when Stripe says so [default: 75 % of
    /// Stripe's documented limits]
    #[arg(
        long,
        global = true,
        value_name = "N|none",
        allow_hyphen_values = true,
        help_heading = "Stripe"
    )]
    pub(crate) max_rps: Option<String>,
}

/// How to talk.
#[derive(clap::Args)]
pub(crate) struct Output {
    /// Form of the answer on stdout
    #[arg(long = "output", global = true, value_enum, value_name = "FORM", default_value_t = Form::Text, help_heading = "Output")]
    pub(crate) form: Form,
    /// Log more to stderr; twice for every detail
    #[arg(short, long, global = true, action = ArgAction::Count, help_heading = "Output")]
    pub(crate) verbose: u8,
    /// Neither progress nor notes
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = "Output")]
    pub(crate) quiet: bool,
    /// When to use colours; NO_COLOR is honoured
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = Color::Auto, help_heading = "Output")]
    pub(crate) color: Color,
}

/// The form of what goes to stdout: for people, or one JSON value.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    Text,
    Json,
}

/// When to use colours: on a terminal, also into files and pipes, or not at all.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

/// What to do.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make the schema and its tables, or add what this version has more
    ///
    /// Tables of the TypeScript stripe-sync-engine are taken over in place, with every row.
    Migrate(Migrate),
    /// Copy history: all of the account, or some objects, or a range of time
    ///
    /// Interrupted or killed, the same command goes on where it stopped; after a complete run it
    /// reads again.
    Backfill(Backfill),
    /// Fetch single objects and write them
    ///
    /// Exit code 0 if each is stored, or deleted like its object; 1 if one failed; 3 if one was not
    /// found or its row is in quarantine.
    Refresh(Refresh),
    /// Look at the key, the database and each stream's permission; writes nothing
    ///
    /// Asks each stream for one object. Exit code 0 if a backfill would be complete, 3 if it would
    /// run but streams are denied or fail, 1 or 2 if it could not run.
    Check(Check),
    /// Show the latest runs, their streams, and rows that were set aside
    Status(Status),
    /// Run one SQL statement in a transaction that cannot write
    Query(Query),
    /// Copy a simulated account of 20,000 objects into a temporary PostgreSQL and compare
    ///
    /// Uses no key, no network and no database of yours. Exit code 1 if anything differs.
    Demo(Demo),
}

/// Of all commands that write rows.
#[derive(clap::Args)]
pub(crate) struct Columns {
    /// Leave a column out for good, such as customers.email: stored values are cleared, and no later
    /// command stores it again; repeatable, or several with commas [env: STRIPE_SYNC_EXCLUDE_COLUMNS]
    #[arg(long = "exclude-column", value_name = "TABLE.COLUMN")]
    pub(crate) exclude: Vec<String>,
    /// Store a column again that was left out
    #[arg(long = "include-column", value_name = "TABLE.COLUMN")]
    pub(crate) include: Vec<String>,
}

/// Of `migrate`.
#[derive(clap::Args)]
pub(crate) struct Migrate {
    /// Take over another engine's tables although more than 1 GB is rewritten
    #[arg(long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) columns: Columns,
}

/// Of `backfill`.
#[derive(clap::Args)]
pub(crate) struct Backfill {
    /// Object to copy, such as customer; repeatable, or several with commas [default: all]
    #[arg(long = "object", value_name = "NAME")]
    pub(crate) objects: Vec<String>,
    /// Created at this time or later: a date, a duration back from now (30d), or Unix seconds
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) since: Option<String>,
    /// Created before this time
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) until: Option<String>,
    /// Created after this Unix second; these four are Stripe's own bounds
    #[arg(long, value_name = "SECOND", allow_negative_numbers = true)]
    pub(crate) created_gt: Option<i64>,
    /// Created at this Unix second or later
    #[arg(long, value_name = "SECOND", allow_negative_numbers = true)]
    pub(crate) created_gte: Option<i64>,
    /// Created before this Unix second
    #[arg(long, value_name = "SECOND", allow_negative_numbers = true)]
    pub(crate) created_lt: Option<i64>,
    /// Created at this Unix second or earlier
    #[arg(long, value_name = "SECOND", allow_negative_numbers = true)]
    pub(crate) created_lte: Option<i64>,
    /// Start over instead of continuing an unfinished run of the same command
    #[arg(long)]
    pub(crate) fresh: bool,
    /// Exit with 0 although the key may not read some streams
    #[arg(long)]
    pub(crate) skip_denied: bool,
    #[command(flatten)]
    pub(crate) columns: Columns,
}

/// Of `check`.
#[derive(clap::Args)]
pub(crate) struct Check {
    /// Object to ask for, such as customer; repeatable, or several with commas [default: all]
    #[arg(long = "object", value_name = "NAME")]
    pub(crate) objects: Vec<String>,
    /// Exit with 0 although the key may not read some streams
    #[arg(long)]
    pub(crate) skip_denied: bool,
}

/// Of `refresh`.
#[derive(clap::Args)]
pub(crate) struct Refresh {
    /// cus_123, in_123, ...; objects with ids of your own choice as products/gold
    #[arg(required = true, value_name = "ID")]
    pub(crate) ids: Vec<String>,
    #[command(flatten)]
    pub(crate) columns: Columns,
}

/// Of `status`.
#[derive(clap::Args)]
pub(crate) struct Status {
    /// How many runs, the latest first
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) runs: u32,
}

/// Of `query`.
#[derive(clap::Args)]
pub(crate) struct Query {
    /// The statement; `-` reads it from stdin
    pub(crate) sql: String,
}

/// Of `demo`.
#[derive(clap::Args)]
pub(crate) struct Demo {
    /// Keep the database in this directory, which must be new or empty
    #[arg(long, value_name = "DIR")]
    pub(crate) keep: Option<PathBuf>,
}
