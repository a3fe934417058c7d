//! The arguments as typed. The module `settings` resolves them together with the environment.
//!
//! No type here implements `Debug`, because a database URL may contain a password.

use std::path::PathBuf;

use clap::{ArgAction, Parser, Subcommand, ValueEnum};

const AFTER_HELP: &str = "\
The API key is read from the environment (STRIPE_SECRET_KEY or STRIPE_API_KEY) or from the file
that STRIPE_SECRET_KEY_FILE names. There is no option for it, because ps shows arguments.
Without a database URL, stripe-sync starts a private PostgreSQL.

Exit codes: 0 complete, 1 failed, 2 invalid usage, 3 finished but incomplete, 75 deadline passed,
130 interrupted. After 75 and 130, committed rows are safe, and the same command resumes the run.";

/// Copy a Stripe account into PostgreSQL
#[derive(Parser)]
#[command(name = "stripe-sync", version, after_help = AFTER_HELP, max_term_width = 100)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) connection: Connection,
    #[command(flatten)]
    pub(crate) output: Output,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The source and the target of the copy. Every option except `--max-rps` and `--env-file` has an
/// environment variable.
#[derive(clap::Args)]
pub(crate) struct Connection {
    /// PostgreSQL database to copy into, postgres://user@host:5432/database [env: DATABASE_URL]
    #[arg(long, global = true, value_name = "URL", help_heading = "Database")]
    pub(crate) database_url: Option<String>,
    /// Directory of the private PostgreSQL [env: STRIPE_SYNC_DATA] [default:
    /// ~/.local/share/stripe-sync]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Database")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Schema of the tables [env: SCHEMA] [default: stripe]
    #[arg(long, global = true, value_name = "NAME", help_heading = "Database")]
    pub(crate) schema: Option<String>,
    /// Prefix of the table names: `billing` gives billing_customers [env: TABLE_PREFIX]
    #[arg(long, global = true, value_name = "PREFIX", help_heading = "Database")]
    pub(crate) table_prefix: Option<String>,
    /// Maximum number of database connections [env: MAX_POSTGRES_CONNECTIONS] [default: 5]
    #[arg(long, global = true, value_name = "N", help_heading = "Database")]
    pub(crate) max_connections: Option<String>,
    /// How long to wait for a database that is starting [env: STRIPE_SYNC_WAIT_FOR_DATABASE]
    /// [default: 30s]
    #[arg(
        long,
        global = true,
        value_name = "DURATION",
        allow_hyphen_values = true,
        help_heading = "Database"
    )]
    pub(crate) wait_for_database: Option<String>,
    /// Account ID (acct_...), for a key that is not allowed to read its own account [env:
    /// STRIPE_ACCOUNT_ID]
    #[arg(long, global = true, value_name = "ID", help_heading = "Stripe")]
    pub(crate) account: Option<String>,
    /// API address to use instead of Stripe's own [env: STRIPE_API_BASE]
    #[arg(long, global = true, value_name = "URL", help_heading = "Stripe")]
    pub(crate) api_base: Option<String>,
    /// API version to request, instead of the version that the tables are built for [env:
    /// STRIPE_API_VERSION]
    #[arg(long, global = true, value_name = "VERSION", help_heading = "Stripe")]
    pub(crate) api_version: Option<String>,
    /// Maximum requests per second, or `none` to slow down only when Stripe requests it [default:
    /// 75% of Stripe's documented limits]
    #[arg(
        long,
        global = true,
        value_name = "N|none",
        allow_hyphen_values = true,
        help_heading = "Stripe"
    )]
    pub(crate) max_rps: Option<String>,
    /// File with environment variables, one KEY=value per line; those of the environment take
    /// precedence
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) env_file: Option<PathBuf>,
}

/// The output options.
#[derive(clap::Args)]
pub(crate) struct Output {
    /// Output format; csv for the command query only
    #[arg(long = "output", global = true, value_enum, value_name = "FORMAT", default_value_t = OutputFormat::Text, help_heading = "Output")]
    pub(crate) format: OutputFormat,
    /// Verbose log on stderr (-vv for debug messages)
    #[arg(short, long, global = true, action = ArgAction::Count, help_heading = "Output")]
    pub(crate) verbose: u8,
    /// Hide progress and notes
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = "Output")]
    pub(crate) quiet: bool,
    /// When to use colors; `auto` respects NO_COLOR
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = Color::Auto, help_heading = "Output")]
    pub(crate) color: Color,
}

/// The format of stdout: text for people, one JSON value, or the rows of a query as CSV.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    Text,
    Json,
    Csv,
}

/// When to use colors: on a terminal, always, or never.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

/// The subcommands.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Create the schema and tables, or add what is new in this version
    ///
    /// Adopts tables of the TypeScript stripe-sync-engine in place, with every row.
    Migrate(Migrate),
    /// Copy existing objects: the whole account, some objects, or a time range
    ///
    /// After an interruption or a crash, the same command resumes where it stopped. After a
    /// complete run, it reads everything again.
    Backfill(Backfill),
    /// Fetch single objects and store them
    ///
    /// Exit code 0 if every object was stored, or removed because it was deleted in Stripe; 1 if
    /// one failed; 3 if one was not found or its row is in quarantine. Also fetches up to 100
    /// objects that earlier events named and that have not been fetched yet.
    Refresh(Refresh),
    /// Apply changes from Stripe's event feed until Ctrl-C
    ///
    /// Needs no public URL. Resumes where the last `follow` stopped, or at the end of a later
    /// complete backfill of all objects. The first `follow` applies the events since the first
    /// backfill. Stripe sends no events for some objects, such as balance transactions. Their lists
    /// are read again: new objects every two minutes, and those of the last 14 days once a day.
    /// Stripe keeps events for 30 days. If `follow` was stopped for longer, events are lost, and
    /// the streams are read again in full. Several processes can follow one account: one of them
    /// reads the feed, and the others wait. Exit code 0 after Ctrl-C. Exit code 3 if objects still
    /// have to be fetched or listed, or if rows were quarantined. Exit code 130 if --once was
    /// interrupted.
    Follow(Follow),
    /// Create, list and delete the endpoints to which Stripe sends webhooks
    ///
    /// Uses no database.
    #[command(subcommand)]
    Webhook(Webhook),
    /// Check the key, the database and access to each stream, without writing anything
    ///
    /// Requests one object of each stream. Exit code 0 if a backfill would be complete, 3 if it
    /// would run but some streams are denied or failing, 1 or 2 if it could not run.
    Check(Check),
    /// Show the latest runs, their streams, quarantined rows, and how current the copy is
    Status(Status),
    /// Run a SQL statement in a read-only transaction
    ///
    /// Table names do not need the schema's name, because the schema is on the search path.
    Query(Query),
    /// Copy a simulated account into a temporary PostgreSQL and check that every object arrived
    ///
    /// Uses no key, no network and none of your databases; the Database and Stripe options do not
    /// apply. Exit code 1 if anything differs.
    Demo(Demo),
    /// Print a completion script for a shell
    ///
    /// Save the output where the shell looks for completions, such as
    /// ~/.local/share/bash-completion/completions/stripe-sync for bash.
    Completions(Completions),
    /// Write the man pages of the program and its commands into a directory
    ///
    /// If the directory is ~/.local/share/man/man1, `man stripe-sync` finds them.
    ManPages(ManPages),
}

/// The options of all commands that write rows.
#[derive(clap::Args)]
pub(crate) struct ColumnOptions {
    /// Column to exclude permanently, such as customers.email: stored values are cleared, and later
    /// commands do not store it again; repeatable or comma-separated [env:
    /// STRIPE_SYNC_EXCLUDE_COLUMNS]
    #[arg(long = "exclude-column", value_name = "TABLE.COLUMN")]
    pub(crate) exclude: Vec<String>,
    /// Excluded column to store again; repeatable or comma-separated
    #[arg(long = "include-column", value_name = "TABLE.COLUMN")]
    pub(crate) include: Vec<String>,
}

/// The options of `migrate`.
#[derive(clap::Args)]
pub(crate) struct Migrate {
    /// Allow rewriting more than 1 GB when adopting another engine's tables
    #[arg(long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) columns: ColumnOptions,
}

/// The options of `backfill`.
#[derive(clap::Args)]
pub(crate) struct Backfill {
    /// Object to copy, such as customer; repeatable or comma-separated [default: all]
    #[arg(long = "object", value_name = "NAME")]
    pub(crate) objects: Vec<String>,
    /// Earliest creation time (inclusive): a date, a duration before now (30d), or Unix seconds
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) since: Option<String>,
    /// Latest creation time (exclusive)
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) until: Option<String>,
    /// Lower bound of the creation time in Unix seconds (exclusive), Stripe's created[gt]
    #[arg(long, value_name = "SECOND", allow_negative_numbers = true)]
    pub(crate) created_gt: Option<i64>,
    /// Lower bound (inclusive), Stripe's created[gte]
    #[arg(long, value_name = "SECOND", allow_negative_numbers = true)]
    pub(crate) created_gte: Option<i64>,
    /// Upper bound (exclusive), Stripe's created[lt]
    #[arg(long, value_name = "SECOND", allow_negative_numbers = true)]
    pub(crate) created_lt: Option<i64>,
    /// Upper bound (inclusive), Stripe's created[lte]
    #[arg(long, value_name = "SECOND", allow_negative_numbers = true)]
    pub(crate) created_lte: Option<i64>,
    /// Time limit of this command, such as 14m or 1h30m: it then stops with exit code 75, and the
    /// same command resumes the run
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true)]
    pub(crate) deadline: Option<String>,
    /// Start a new run instead of resuming an unfinished one
    #[arg(long)]
    pub(crate) fresh: bool,
    /// Exit with code 0 even if the key is not allowed to read some streams
    #[arg(long)]
    pub(crate) skip_denied: bool,
    #[command(flatten)]
    pub(crate) columns: ColumnOptions,
}

/// The options of `check`.
#[derive(clap::Args)]
pub(crate) struct Check {
    /// Object to check, such as customer; repeatable or comma-separated [default: all]
    #[arg(long = "object", value_name = "NAME")]
    pub(crate) objects: Vec<String>,
    /// Exit with code 0 even if the key is not allowed to read some streams
    #[arg(long)]
    pub(crate) skip_denied: bool,
}

/// The options of `follow`.
#[derive(clap::Args)]
pub(crate) struct Follow {
    /// Apply the events up to now, then stop
    #[arg(long)]
    pub(crate) once: bool,
    /// Object to fetch from Stripe whenever an event names it, instead of storing it from the event;
    /// repeatable or comma-separated [env: REVALIDATE_OBJECTS_VIA_STRIPE_API]
    #[arg(long, value_name = "NAME")]
    pub(crate) revalidate: Vec<String>,
}

/// The subcommands of `webhook`.
#[derive(Subcommand)]
pub(crate) enum Webhook {
    /// Create a webhook endpoint for the events that change a copy
    ///
    /// Prints the signing secret, which Stripe shows only once and which is stored nowhere. If an
    /// endpoint with this URL exists, it is enabled, missing events are added, and no secret is
    /// printed. Exit code 3 if that endpoint uses another API version, which cannot be changed.
    Create(WebhookCreate),
    /// List the webhook endpoints of the account
    List,
    /// Delete a webhook endpoint
    Delete(WebhookDelete),
}

/// The options of `webhook create`.
#[derive(clap::Args)]
pub(crate) struct WebhookCreate {
    /// Public URL to which Stripe sends webhooks, such as https://example.com/webhooks
    #[arg(long, value_name = "URL")]
    pub(crate) url: String,
}

/// The options of `webhook delete`.
#[derive(clap::Args)]
pub(crate) struct WebhookDelete {
    /// ID of the endpoint, such as we_123
    #[arg(value_name = "ID")]
    pub(crate) id: String,
}

/// The options of `refresh`.
#[derive(clap::Args)]
pub(crate) struct Refresh {
    /// Object ID such as cus_123, or TABLE/ID if you chose the ID yourself: products/gold
    #[arg(required_unless_present = "failed", value_name = "ID")]
    pub(crate) ids: Vec<String>,
    /// Also retry the changed objects that could not be fetched after many attempts; `stripe-sync
    /// status` lists them
    #[arg(long)]
    pub(crate) failed: bool,
    #[command(flatten)]
    pub(crate) columns: ColumnOptions,
}

/// The options of `status`.
#[derive(clap::Args)]
pub(crate) struct Status {
    /// Number of runs to show, latest first
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) runs: u32,
}

/// The options of `query`.
#[derive(clap::Args)]
pub(crate) struct Query {
    /// SQL statement, or `-` to read one or several from stdin, separated by semicolons
    #[arg(allow_hyphen_values = true)]
    pub(crate) sql: String,
}

/// The options of `demo`.
#[derive(clap::Args)]
pub(crate) struct Demo {
    /// New or empty directory in which to keep the database
    #[arg(long, value_name = "DIR")]
    pub(crate) keep: Option<PathBuf>,
}

/// The options of `completions`.
#[derive(clap::Args)]
pub(crate) struct Completions {
    /// Shell to generate the script for
    pub(crate) shell: clap_complete::Shell,
}

/// The options of `man-pages`.
#[derive(clap::Args)]
pub(crate) struct ManPages {
    /// Directory to write to; created if it does not exist
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
}
